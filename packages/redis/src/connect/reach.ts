/**
 * How the way to the server is, judged by what became of calls: of those that ended, and of the one that waits longest.
 *
 *     well ──a failure that passes, or a call without an answer, for PATIENCE_MS and no success──▶ unavailable
 *     well ──the server takes no writes: memory or disk full, a replica──▶ refusing, until REFUSAL_MS after it last said so
 *     any of them ──a success, no call that waits, no refusal──▶ well
 *     any of them ──what the store kept is gone──▶ failed, until the adapter is opened anew
 *
 * A call that fails and succeeds when it is tried again is no trouble, only a pause. A refusal is remembered for a while
 * because reads succeed all the same: by the next of them everything would seem well.
 */
import type { AdapterHealth, EventManagerError, Runtime } from '@event-manager/core';

const PATIENCE_MS = 2_000;
const REFUSAL_MS = 10_000;
const REFUSALS: ReadonlySet<unknown> = new Set(['OOM', 'MISCONF', 'READONLY', 'NOREPLICAS']);

/** One call, tries after failures included. */
export interface CallUnderWay {
  readonly beganAtMs: number;
}

type Trouble = Pick<AdapterHealth, 'status' | 'reason'>;

export class Reach {
  readonly #clock: Runtime['clock'];
  readonly #underWay = new Set<CallUnderWay>();
  readonly #errors = new Map<string, number>();
  #failingSinceMs: number | undefined;
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #refusal: { readonly error: EventManagerError; readonly atMs: number } | undefined;
  #lastError: EventManagerError | undefined;
  #end: EventManagerError | undefined;

  constructor(clock: Runtime['clock']) {
    this.#clock = clock;
  }

  /** What the last call failed by, until one succeeds. */
  get lastError(): EventManagerError | undefined {
    return this.#lastError;
  }

  /** Calls that failed, by code; one that was tried again counts each time. */
  get errors(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#errors);
  }

  /** What this process cannot go on after. */
  get end(): EventManagerError | undefined {
    return this.#end;
  }

  began(): CallUnderWay {
    const call = { beganAtMs: this.#clock.monotonicMs() };
    this.#underWay.add(call);
    return call;
  }

  /** Whatever became of it. */
  ended(call: CallUnderWay): void {
    this.#underWay.delete(call);
  }

  succeeded(): void {
    this.#answered();
    this.#lastError = undefined;
  }

  failed(error: EventManagerError): void {
    this.#errors.set(error.code, (this.#errors.get(error.code) ?? 0) + 1);
    this.#lastError = error;
    if (error.code === 'store_failed') this.#end ??= error;
    const isRefusal = REFUSALS.has(error.details['redisCode']);
    if (isRefusal) this.refused(error);
    if (error.code === 'store_unavailable' && !isRefusal) this.#failingSinceMs ??= this.#clock.monotonicMs();
    else this.#answered();
  }

  /** It answered, and took nothing. */
  refused(error: EventManagerError): void {
    this.#refusal = { error, atMs: this.#clock.monotonicMs() };
  }

  /** `undefined` when all is well. */
  trouble(): Trouble | undefined {
    if (this.#end !== undefined) return { status: 'failed', reason: this.#end.message };
    const nowMs = this.#clock.monotonicMs();
    // In the order in which they began.
    const [oldest] = this.#underWay;
    const waitedMs = nowMs - (oldest?.beganAtMs ?? nowMs);
    const isSilent = oldest !== undefined && this.#answeredAtMs < oldest.beganAtMs && waitedMs >= PATIENCE_MS;
    if (isSilent || nowMs - (this.#failingSinceMs ?? nowMs) >= PATIENCE_MS) {
      return { status: 'unavailable', reason: this.#lastError?.message ?? 'Redis does not answer.' };
    }
    if (this.#refusal && nowMs - this.#refusal.atMs < REFUSAL_MS) {
      const { code, message } = this.#refusal.error;
      return { status: code === 'disk_full' ? 'full' : 'unavailable', reason: message };
    }
    return undefined;
  }

  #answered(): void {
    this.#answeredAtMs = this.#clock.monotonicMs();
    this.#failingSinceMs = undefined;
  }
}
