import { type EventBusAdapter, EventManagerError } from '@event-manager/core';
import { sampleEvents, sampleId } from '@event-manager/testing/conformance';
import { readAll } from './read-all.ts';

const PUBLISHERS = 4;
const EVENTS = 3;
/** Who was refused comes again after this, sooner than it is told to: the more tries fall into a fault, the better. */
const AGAIN_MS = 20;

/**
 * Publishers that append through an adapter until they are stopped, and one that commits state on the condition of the commit
 * before. What is refused is tried again with the same ids, as clients do.
 */
export class Load {
  readonly acknowledged = new Set<string>();
  /** How often a call was refused, by code. */
  readonly refused: Record<string, number> = {};
  /** Refusals that are none a client can live with: it would not know that it may come again, and when. */
  readonly unexpected: unknown[] = [];
  commits = 0;
  longestMs = 0;
  lastAcknowledgedMs = 0;
  readonly #adapter: EventBusAdapter;
  readonly #padding: string;
  readonly #running: Promise<void>[];
  #isStopping = false;
  #next = 0;

  /** `payloadBytes` makes events larger. */
  constructor(adapter: EventBusAdapter, { payloadBytes = 0 }: { payloadBytes?: number } = {}) {
    this.#adapter = adapter;
    this.#padding = 'x'.repeat(payloadBytes);
    this.#running = Array.from({ length: PUBLISHERS }, () => this.#publish());
    this.#running.push(this.#commit());
  }

  /** Resolves when every call under way is answered; the last ones are not tried again. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#running);
  }

  /**
   * What the log says of it: of what was acknowledged nothing may be missing, and nothing may be there twice. `lost` are events and
   * commits together: commits have no positions, so only `lostEvents` can be held against ranges of the log.
   */
  async check(
    adapter: EventBusAdapter,
  ): Promise<{ acknowledged: number; kept: number; lost: number; lostEvents: number; doubles: number }> {
    const records = await readAll(adapter.store);
    const kept = new Set(records.map(({ id }) => id));
    const lostEvents = [...this.acknowledged].filter((id) => !kept.has(id)).length;
    const [entry] = await adapter.state.get('topic', ['load']);
    const lostCommits = Math.max(0, this.commits - Number(entry?.value ?? 0));
    const doubles = records.length - kept.size;
    const lost = lostEvents + lostCommits;
    return { acknowledged: this.acknowledged.size, kept: kept.size, lost, lostEvents, doubles };
  }

  async #publish(): Promise<void> {
    while (!this.#isStopping) {
      const first = this.#next;
      this.#next += EVENTS;
      const events = sampleEvents(EVENTS, first, { payload: this.#padding });
      const isDone = await this.#untilTaken(() => this.#timed(this.#adapter.store.append(events)));
      if (!isDone) return;
      for (let n = first; n < first + EVENTS; n++) this.acknowledged.add(sampleId(n));
      this.lastAcknowledgedMs = performance.now();
    }
  }

  /** Each writes how many there were: a commit that is refused may have taken effect, so the condition is read again. */
  async #commit(): Promise<void> {
    const { state } = this.#adapter;
    while (!this.#isStopping) {
      const value = this.commits + 1;
      const isDone = await this.#untilTaken(async () => {
        const [entry] = await this.#timed(state.get('topic', ['load']));
        if (entry?.value === value) return;
        const change = { kind: 'topic', key: 'load', value, ifRevision: entry?.revision ?? 0 } as const;
        await this.#timed(state.commit([change]));
      });
      if (!isDone) return;
      this.commits = value;
    }
  }

  async #untilTaken(call: () => Promise<unknown>): Promise<boolean> {
    for (;;) {
      try {
        await call();
        return true;
      } catch (error) {
        this.#note(error);
      }
      if (this.#isStopping) return false;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  async #timed<T>(call: Promise<T>): Promise<T> {
    const startedMs = performance.now();
    try {
      return await call;
    } finally {
      this.longestMs = Math.max(this.longestMs, performance.now() - startedMs);
    }
  }

  #note(error: unknown): void {
    const code = error instanceof EventManagerError ? error.code : String(error);
    this.refused[code] = (this.refused[code] ?? 0) + 1;
    // A commit that took effect although it was refused makes its repetition one.
    if (code === 'revision_conflict') return;
    const isTyped = error instanceof EventManagerError && error.retryable && Number(error.details['retryAfterMs']) > 0;
    if (!isTyped || error.kind !== 'unavailable') this.unexpected.push(error);
  }
}
