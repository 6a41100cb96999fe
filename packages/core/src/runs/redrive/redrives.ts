import type { StateStore } from '../../contracts/state-store.ts';
import type { Principal } from '../../principal.ts';
import type { RunRooms } from '../part-driver.ts';
import type { Run } from '../run.ts';
import type { Runs } from '../runs.ts';
import { assertKnown } from './assert-known.ts';
import { askedSubscription } from './letter-request.ts';
import { LetterTurns } from './letter-turns.ts';
import { LettersRoom, type LettersRoomOptions } from './letters-room.ts';
import { groupLetters, type LetterGroupsFound, type SelectedLetters } from './scan-letters.ts';

/** What may be done with dead letters. */
export interface DeadLetterOptions {
  /** Above so many a redrive or discard has to say how many letters it means. Default: 1,000. */
  readonly confirmAbove?: number | undefined;
  /** How often a delivery may be redriven, unless that is forced. Default: 10. */
  readonly redrivesMax?: number | undefined;
}

export interface RedrivesOptions extends Omit<LettersRoomOptions, 'turns' | 'redrivesMax' | 'confirmAbove' | 'state'> {
  readonly state: StateStore;
  readonly options: DeadLetterOptions | undefined;
}

const CONFIRM_ABOVE = 1_000;
const REDRIVES_MAX = 10;

/** The operations that close dead letters, and what helps to choose them. */
export class Redrives {
  readonly rooms: Pick<RunRooms, 'redrive' | 'discard'>;
  readonly #rooms: Readonly<Record<'redrive' | 'discard', LettersRoom>>;
  readonly #options: RedrivesOptions;

  constructor(redrives: RedrivesOptions) {
    const { options = {}, ...rest } = redrives;
    const { confirmAbove = CONFIRM_ABOVE, redrivesMax = REDRIVES_MAX } = options;
    const shared = { ...rest, confirmAbove, redrivesMax, turns: new LetterTurns() };
    this.#options = redrives;
    this.#rooms = { redrive: new LettersRoom('redrive', shared), discard: new LettersRoom('discard', shared) };
    this.rooms = this.#rooms;
  }

  /** Begins, or, where the request says `dryRun`, says what it means. Throws what `LettersRoom.prepare` throws. */
  async start(
    principal: Principal,
    kind: 'redrive' | 'discard',
    input: unknown,
    runs: Runs,
  ): Promise<Run | SelectedLetters> {
    return this.#rooms[kind].isDryRun(input)
      ? this.#rooms[kind].select(principal, input)
      : runs.start(principal, kind, input);
  }

  /** The open letters by their causes, of all subscriptions or of one, by its id or name. Throws `invalid_run`, `subscription_not_found`. */
  async groups(_principal: Principal, subscription?: string): Promise<LetterGroupsFound> {
    const { state, limits, knows, runtime } = this.#options;
    const scan = { state, timers: runtime.timers };
    if (subscription === undefined) return groupLetters(scan);
    const asked = askedSubscription(subscription, '/subscriptionId', limits);
    await assertKnown(state, [asked], knows);
    return groupLetters(scan, asked.id);
  }
}
