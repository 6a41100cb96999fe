import { isEventManagerError } from '../errors/event-manager-error.ts';

/** What waits to become part of a step: of a transaction, or of a script of the server. */
export interface Grouped {
  readonly count: number;
  readonly bytes: number;
  reject(error: unknown): void;
}

interface Waiting<Call> {
  readonly call: Call;
  readonly askedAtMs: number;
}

export interface GroupLimits {
  readonly countMax: number;
  readonly bytesMax: number;
}

/** The way to the server, as far as calls in a group need it. */
export interface GroupedWay {
  /** Milliseconds of a clock that only goes on. */
  nowMs(): number;
  /** How long a call may take, tries after failures that pass included. */
  readonly queryTimeoutMs: number;
}

/** A way so slow that even this does not come through in time is none. */
const BYTES_MIN = 4 << 10;

/**
 * Takes calls in the order of calling into steps, one after another: what comes while one is under way forms the next. A single
 * call may bring more than the limits.
 *
 * No call takes longer than the time limit of the way, however many wait. Its step has three quarters of it,
 * counted from when the oldest call of the group came, and never less than one quarter; what has waited for three quarters
 * when a step fails because nobody can be reached fails with it.
 *
 * A group that did not come through in time lets the next be half as large, and one that did twice as large: over a slow way
 * small steps arrive where large ones would be given up again and again.
 */
export class GroupLoop<Call extends Grouped> {
  readonly #way: GroupedWay;
  readonly #limits: GroupLimits;
  readonly #send: (calls: readonly Call[], withinMs: number) => Promise<void>;
  readonly #waiting: Waiting<Call>[] = [];
  #running: Promise<void> | undefined;
  #bytesMax: number;

  /** `send` answers the calls; when it rejects they are rejected here. */
  constructor(way: GroupedWay, limits: GroupLimits, send: (calls: readonly Call[], withinMs: number) => Promise<void>) {
    this.#way = way;
    this.#limits = limits;
    this.#bytesMax = limits.bytesMax;
    this.#send = send;
  }

  add(call: Call): void {
    this.#waiting.push({ call, askedAtMs: this.#way.nowMs() });
    this.#running ??= this.#run();
  }

  /** Waits until every call is answered. */
  async close(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Calls of the same turn come into the first group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#take();
      const { queryTimeoutMs } = this.#way;
      const waitedMs = this.#way.nowMs() - group[0]!.askedAtMs;
      try {
        const withinMs = Math.max(queryTimeoutMs / 4, (queryTimeoutMs * 3) / 4 - waitedMs);
        await this.#send(
          group.map(({ call }) => call),
          withinMs,
        );
        this.#bytesMax = Math.min(this.#limits.bytesMax, 2 * this.#bytesMax);
      } catch (error) {
        const isUnreachable = isEventManagerError(error, 'store_unavailable');
        if (isUnreachable) this.#bytesMax = Math.max(BYTES_MIN, this.#bytesMax / 2);
        const overdue = isUnreachable ? this.#takeOverdue() : [];
        for (const { call } of [...group, ...overdue]) call.reject(error);
      }
    }
    this.#running = undefined;
  }

  #take(): Waiting<Call>[] {
    let count = 0;
    let bytes = 0;
    let calls = 0;
    for (const { call } of this.#waiting) {
      count += call.count;
      bytes += call.bytes;
      if (calls > 0 && (count > this.#limits.countMax || bytes > this.#bytesMax)) break;
      calls++;
    }
    return this.#waiting.splice(0, calls);
  }

  #takeOverdue(): Waiting<Call>[] {
    const sinceMs = this.#way.nowMs() - (this.#way.queryTimeoutMs * 3) / 4;
    const firstInTime = this.#waiting.findIndex(({ askedAtMs }) => askedAtMs > sinceMs);
    return this.#waiting.splice(0, firstInTime < 0 ? this.#waiting.length : firstInTime);
  }
}
