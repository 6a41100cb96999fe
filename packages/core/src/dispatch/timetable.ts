/**
 * The one timer structure of the engine: a binary heap of entries ordered by due time, with a single timer armed for the
 * first. Ten thousand retries and a thousand delivery deadlines cost one timer.
 */
import type { Cancel, Clock, Timers } from '../runtime/clock.ts';

export interface TimetableEntry {
  /** On the monotonic clock, in milliseconds. Must not change while the entry stands in the timetable. */
  readonly dueAtMs: number;
  /** Called once when the time has come. An entry that is no longer wanted does nothing here: there is no removal. */
  due(): void;
}

export class Timetable {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #heap: TimetableEntry[] = [];
  #armedForMs = Number.POSITIVE_INFINITY;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  get size(): number {
    return this.#heap.length;
  }

  add(entry: TimetableEntry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap[parent]!.dueAtMs <= entry.dueAtMs) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
    if (entry.dueAtMs < this.#armedForMs) this.#arm();
  }

  clear(): void {
    this.#heap.length = 0;
    this.#cancel?.();
    this.#armedForMs = Number.POSITIVE_INFINITY;
  }

  #arm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const first = this.#heap[0];
    this.#armedForMs = first?.dueAtMs ?? Number.POSITIVE_INFINITY;
    if (!first) return;
    const delayMs = Math.max(0, first.dueAtMs - this.#clock.monotonicMs());
    this.#cancel = this.#timers.after(delayMs, () => this.#run());
  }

  #run(): void {
    const nowMs = this.#clock.monotonicMs();
    while (this.#heap.length > 0 && this.#heap[0]!.dueAtMs <= nowMs) this.#takeFirst().due();
    this.#arm();
  }

  #takeFirst(): TimetableEntry {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.dueAtMs < heap[child]!.dueAtMs) child++;
      if (heap[child]!.dueAtMs >= last.dueAtMs) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}
