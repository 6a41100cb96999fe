import type { Appendable } from '../contracts/event-store.ts';
import type { EventManagerError } from '../errors/event-manager-error.ts';
import type { Principal } from '../principal.ts';

const RECENT_MAX = 100;
const COUNTS_MAX = 1_000;

/** An event that was refused for what its topic asks. Without the payload: it was not stored, and is nobody's to read. */
export interface Rejection {
  /** RFC 3339. */
  readonly rejectedAt: string;
  readonly code: string;
  /** Canonical. */
  readonly topic: string;
  readonly type: string;
  readonly source: string;
  readonly eventId: string;
  readonly principal: string;
  /** JSON pointer into the event. */
  readonly pointer: string;
  readonly reason: string;
}

export interface RejectionCount {
  readonly code: string;
  /** Absent for those that are counted together, because publishers thought of too many topics. */
  readonly topic?: string;
  readonly count: number;
}

/**
 * What was refused since the start: numbers by code and topic, and the last hundred by themselves. In memory: an event that
 * breaks the rules must not be able to fill a disk.
 */
export class Rejections {
  readonly #recent: Rejection[] = [];
  readonly #counts = new Map<string, { code: string; topic: string | undefined; count: number }>();

  /** The newest first. */
  get recent(): readonly Rejection[] {
    return this.#recent.toReversed();
  }

  /** The most frequent first. */
  get counts(): readonly RejectionCount[] {
    return [...this.#counts.values()]
      .sort((a, b) => b.count - a.count)
      .map(({ code, topic, count }) => (topic === undefined ? { code, count } : { code, topic, count }));
  }

  note(refused: {
    readonly principal: Principal;
    readonly event: Appendable;
    readonly error: EventManagerError;
    /** In the event. */
    readonly pointer: string;
    readonly wallMs: number;
  }): void {
    const { principal, event, error, pointer, wallMs } = refused;
    const { code, message } = error;
    const { topic, type, source, id } = event;
    const rejectedAt = new Date(wallMs).toISOString();
    const rejection = { rejectedAt, code, topic, type, source, eventId: id, principal: principal.id, pointer };
    this.#recent.push({ ...rejection, reason: message });
    if (this.#recent.length > RECENT_MAX) this.#recent.shift();
    this.#count(code, topic);
  }

  #count(code: string, topic: string): void {
    const key = `${code} ${topic}`;
    const isFull = !this.#counts.has(key) && this.#counts.size >= COUNTS_MAX;
    const counted = isFull ? code : key;
    const entry = this.#counts.get(counted) ?? { code, topic: isFull ? undefined : topic, count: 0 };
    entry.count++;
    this.#counts.set(counted, entry);
  }
}
