import type { DeadLetter } from '../../dispatch/dead-letter.ts';
import type { ErrorDetails } from '../../errors/event-manager-error.ts';
import { EventManagerError } from '../../errors/event-manager-error.ts';
import type { Validate } from '../../ingest/validate.ts';
import type { JsonObject } from '../../json.ts';
import type { Principal } from '../../principal.ts';
import type { PartAssignment, PartDriver, PreparedRun, RunRoom } from '../part-driver.ts';
import type { RunPart, RunRecord } from '../run.ts';
import { assertKnown } from './assert-known.ts';
import { discardUnserved } from './discard-unserved.ts';
import { editLetter } from './edit-letter.ts';
import { type ReadRequest, readLettersRequest } from './letter-request.ts';
import type { LetterCursor } from './letter-source.ts';
import { type LettersContext, LettersPart, type LettersRunRequest } from './letters-part.ts';
import { keysOfLetters, type SelectedLetters, scanLetters } from './scan-letters.ts';

export interface LettersRoomOptions extends LettersContext {
  readonly validate: () => Validate;
  /** The subscription exists. */
  readonly knows: (subscriptionId: string) => boolean;
  /** Letters that may be redriven or discarded without saying that so many are meant. */
  readonly confirmAbove: number;
}

type PreparedPart = PreparedRun['parts'][number];

/** The two kinds of runs that close dead letters. */
export class LettersRoom implements RunRoom {
  readonly #kind: 'redrive' | 'discard';
  readonly #options: LettersRoomOptions;

  constructor(kind: 'redrive' | 'discard', options: LettersRoomOptions) {
    this.#kind = kind;
    this.#options = options;
  }

  /** The request only asks what it means. Throws `invalid_run`, `invalid_pattern`. */
  isDryRun(input: unknown): boolean {
    return readLettersRequest(this.#kind, input, this.#options.limits).dryRun;
  }

  /**
   * What a request means, without anything being done. Throws `invalid_run`, `invalid_pattern`, `dead_letter_not_found`, and
   * `subscription_not_found` for one that it names.
   */
  async select(principal: Principal, input: unknown): Promise<SelectedLetters> {
    const read = await this.#read(input);
    if (read.payload !== undefined) {
      const [key] = await keysOfLetters(this.#options.state, read.selection.ids!);
      await this.#edited(principal, key!, read.payload);
    }
    return this.#selected(read);
  }

  /**
   * Throws the same, `subscription_not_found` also when nobody is left whom a letter could be delivered to, `confirmation_required`, and
   * for an edited payload what publishing throws.
   */
  async prepare(principal: Principal, input: unknown): Promise<PreparedRun> {
    const { runtime } = this.#options;
    const read = await this.#read(input);
    const selected = await this.#selected(read);
    this.#assertConfirmed(selected, read);
    if (this.#kind === 'redrive') this.#assertSubscribed(selected);
    const toMs = Math.min(read.selection.toMs ?? Number.POSITIVE_INFINITY, runtime.clock.wallMs() + 1);
    // Of letters that are named the ids stand in the parts.
    const { ids, ...rest } = read.selection;
    const selection = ids ? rest : { ...rest, toMs };
    const pace = this.#kind === 'redrive' ? { rate: read.rate, ...(read.force ? { force: true } : {}) } : {};
    const request: LettersRunRequest = { selection, ...pace };
    const shown = ids ? { ids: ids.length } : {};
    const edited = read.payload === undefined ? {} : { edited: true };
    const parts = ids ? await this.#namedParts(principal, read, ids) : this.#partsOf(selected);
    return {
      request: { ...request, ...shown, ...edited } as unknown as JsonObject,
      ...(read.note === undefined ? {} : { note: read.note }),
      parts,
    };
  }

  async finishUnserved(run: RunRecord, part: RunPart): Promise<void> {
    const { state, runtime } = this.#options;
    if (this.#options.knows(part.subscriptionId) || part.state !== 'open') return;
    await discardUnserved(state, run, part, runtime);
  }

  drive(assignment: PartAssignment): PartDriver {
    return new LettersPart(assignment, this.#options);
  }

  async #read(input: unknown): Promise<ReadRequest> {
    const { state, limits, knows } = this.#options;
    const read = readLettersRequest(this.#kind, input, limits);
    await assertKnown(state, read.asked, knows);
    return read;
  }

  #selected({ selection }: ReadRequest): Promise<SelectedLetters> {
    const { state, runtime } = this.#options;
    const open = selection.ids ? {} : { state: 'open' as const };
    return scanLetters({ state, timers: runtime.timers }, { ...selection, ...open });
  }

  #assertConfirmed({ count, complete }: SelectedLetters, { confirm = 0 }: ReadRequest): void {
    const { confirmAbove } = this.#options;
    if (count <= confirmAbove || confirm >= count) return;
    const words = `${complete ? count : `At least ${count}`} dead letters are meant: say so by confirm: ${count}.`;
    const details: ErrorDetails = { pointer: '/confirm', count, complete, maximum: confirmAbove };
    throw new EventManagerError('confirmation_required', words, details);
  }

  #assertSubscribed({ subscriptions }: SelectedLetters): void {
    if (subscriptions.length === 0 || subscriptions.some(({ subscriptionId }) => this.#options.knows(subscriptionId)))
      return;
    const words =
      'The subscription of these dead letters was removed: there is nobody whom they could be delivered to.';
    throw new EventManagerError('subscription_not_found', words, { id: subscriptions[0]!.subscriptionId });
  }

  #partsOf({ subscriptions, complete }: SelectedLetters): PreparedPart[] {
    return subscriptions.map(({ subscriptionId, count }) =>
      this.#part(subscriptionId, complete ? count : undefined, {}),
    );
  }

  async #namedParts(principal: Principal, { payload }: ReadRequest, ids: readonly string[]): Promise<PreparedPart[]> {
    const { state } = this.#options;
    const keys = await keysOfLetters(state, ids);
    const event = payload === undefined ? undefined : await this.#edited(principal, keys[0]!, payload);
    const bySubscription = Map.groupBy([...keys].sort(), (key) => key.slice(0, key.indexOf('/')));
    return [...bySubscription].map(([subscriptionId, own]) =>
      this.#part(subscriptionId, own.length, { keys: own, ...(event === undefined ? {} : { event }) }),
    );
  }

  async #edited(principal: Principal, key: string, payload: unknown): Promise<string> {
    const { state, limits, validate } = this.#options;
    const [entry] = await state.get('dead-letter', [key]);
    const letter = entry!.value as unknown as DeadLetter;
    return editLetter(letter, payload, { principal, limits, validate: validate() });
  }

  #part(subscriptionId: string, total: number | undefined, at: LetterCursor): PreparedPart {
    const known = total === undefined ? {} : { total };
    if (this.#kind === 'discard' || this.#options.knows(subscriptionId)) {
      return { subscriptionId, counts: { ...known, done: 0, failed: 0, skipped: 0 }, at: at as JsonObject };
    }
    // It was removed before anybody asked: so nothing of what was asked for is left undone.
    const skipped = total ?? 0;
    const skippedFor = skipped > 0 ? { skippedFor: { subscription_removed: skipped } } : {};
    return { subscriptionId, state: 'done', counts: { ...known, done: 0, failed: 0, skipped }, ...skippedFor, at: {} };
  }
}
