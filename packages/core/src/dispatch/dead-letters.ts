import type { StateStore } from '../contracts/state-store.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { Principal } from '../principal.ts';
import type { DeadLetter } from './dead-letter.ts';
import { asSeen } from './superseded.ts';

const PAGE = 1_000;
const STATES: readonly unknown[] = ['open', 'redriven', 'discarded', 'superseded'];

export interface DeadLettersRequest {
  /** Absent: all of them. */
  readonly state?: DeadLetter['state'] | undefined;
}

export interface DeadLetterPage {
  readonly letters: readonly DeadLetter[];
  /** Continues as `after`; absent on the last page. */
  readonly next?: string;
}

/** The deliveries that were given up on, whatever became of their subscriptions. */
export class DeadLetters {
  readonly #state: StateStore;

  constructor(state: StateStore) {
    this.#state = state;
  }

  /** Of one subscription, or of all, in the order of their keys: subscription, then position. */
  async all(
    principal: Principal,
    subscriptionId?: string,
    { state }: DeadLettersRequest = {},
  ): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = [];
    let after: string | undefined;
    do {
      const page = await this.page(principal, { subscriptionId, after, limit: PAGE, state });
      letters.push(...page.letters);
      after = page.next;
    } while (after !== undefined);
    return letters;
  }

  /** The same, a page at a time: where one state is asked for it may have fewer letters, also none, with more behind it. */
  async page(
    _principal: Principal,
    request: DeadLettersRequest & { subscriptionId?: string | undefined; after?: string | undefined; limit: number },
  ): Promise<DeadLetterPage> {
    const { subscriptionId, after, limit, state } = request;
    if (state !== undefined && !STATES.includes(state)) {
      throw new EventManagerError('invalid_query', `One of ${STATES.join(', ')} is expected.`, { pointer: '/state' });
    }
    const page = await this.#state.load('dead-letter', {
      ...(subscriptionId === undefined ? {} : { prefix: `${subscriptionId}/` }),
      ...(after === undefined ? {} : { after }),
      limit,
    });
    const found = await asSeen(
      this.#state,
      page.entries.map((entry) => entry.value as unknown as DeadLetter),
    );
    const letters = state === undefined ? found : found.filter((letter) => letter.state === state);
    return page.next === undefined ? { letters } : { letters, next: page.next };
  }

  async get(_principal: Principal, id: string): Promise<DeadLetter | undefined> {
    const [found] = await this.#state.get('dead-letter-id', [id]);
    if (!found) return undefined;
    const [letter] = await this.#state.get('dead-letter', [found.value as string]);
    const [seen] = await asSeen(this.#state, [letter?.value as unknown as DeadLetter | undefined]);
    return seen;
  }
}
