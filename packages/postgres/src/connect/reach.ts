/**
 * How the way to the server is, judged by what became of calls: of those that ended, and of the one that waits longest.
 *
 *     well ──a failure that passes, or a call without an answer, for PATIENCE_MS and no success──▶ unavailable
 *     well ──a call waits for SLOW_MS while others are answered──▶ slow
 *     well ──the server takes no writes: full disk, read-only──▶ refusing, until REFUSAL_MS after it last said so
 *     any of them ──a success, no call that waits, no refusal──▶ well
 *
 * A call that fails and succeeds when it is tried again is no trouble, only a pause. A refusal is remembered for a while
 * because reads succeed all the same: by the next of them everything would seem well.
 */
import type { AdapterHealth, EventManagerError, Runtime } from '@event-manager/core';

const PATIENCE_MS = 2_000;
const SLOW_MS = 2_000;
const REFUSAL_MS = 10_000;
const READ_ONLY = '25006';

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

  constructor(clock: Runtime['clock']) {
    this.#clock = clock;
  }

  /** What the last statement failed by, until one succeeds. */
  get lastError(): EventManagerError | undefined {
    return this.#lastError;
  }

  /** Statements that failed, by code; one that was tried again counts each time. */
  get errors(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#errors);
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
    const nowMs = this.#clock.monotonicMs();
    this.#errors.set(error.code, (this.#errors.get(error.code) ?? 0) + 1);
    this.#lastError = error;
    const isRefusal = error.code === 'disk_full' || error.details['sqlState'] === READ_ONLY;
    if (isRefusal) this.#refusal = { error, atMs: nowMs };
    if (error.code === 'store_unavailable' && !isRefusal) this.#failingSinceMs ??= nowMs;
    else this.#answered();
  }

  /** `undefined` when all is well. */
  trouble(): Trouble | undefined {
    const nowMs = this.#clock.monotonicMs();
    // In the order in which they began.
    const [oldest] = this.#underWay;
    const waitedMs = nowMs - (oldest?.beganAtMs ?? nowMs);
    const isSilent = oldest !== undefined && this.#answeredAtMs < oldest.beganAtMs && waitedMs >= PATIENCE_MS;
    if (isSilent || nowMs - (this.#failingSinceMs ?? nowMs) >= PATIENCE_MS) {
      return { status: 'unavailable', reason: this.#lastError?.message ?? 'PostgreSQL does not answer.' };
    }
    if (this.#refusal && nowMs - this.#refusal.atMs < REFUSAL_MS) {
      const { code, message } = this.#refusal.error;
      if (code === 'disk_full') return { status: 'full', reason: message };
      return { status: 'unavailable', reason: 'PostgreSQL takes no writes: it is read-only.' };
    }
    if (waitedMs >= SLOW_MS)
      return { status: 'slow', reason: 'PostgreSQL answers slowly, or all connections are in use.' };
    return undefined;
  }

  #answered(): void {
    this.#answeredAtMs = this.#clock.monotonicMs();
    this.#failingSinceMs = undefined;
  }
}
