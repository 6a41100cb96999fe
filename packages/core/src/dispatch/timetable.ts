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

interface Slot {
  readonly entry: TimetableEntry;
  readonly order: number;
}

export class Timetable {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #heap: Slot[] = [];
  #nextOrder = 0;
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
    this.#lift({ entry, order: this.#nextOrder++ });
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
    const first = this.#heap[0]?.entry;
    this.#armedForMs = first?.dueAtMs ?? Number.POSITIVE_INFINITY;
    if (!first) return;
    const delayMs = Math.max(0, first.dueAtMs - this.#clock.monotonicMs());
    this.#cancel = this.#timers.after(delayMs, () => this.#run());
  }

  #run(): void {
    const nowMs = this.#clock.monotonicMs();
    while (this.#heap.length > 0 && this.#heap[0]!.entry.dueAtMs <= nowMs) this.#takeFirst().due();
    this.#arm();
  }

  #lift(slot: Slot): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(slot);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(slot, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = slot;
  }

  #takeFirst(): TimetableEntry {
    const heap = this.#heap;
    const first = heap[0]!.entry;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

/** Entries due at the same time keep the order in which they came: debts recovered together are taken up oldest first. */
function isBefore(a: Slot, b: Slot): boolean {
  const aMs = a.entry.dueAtMs;
  const bMs = b.entry.dueAtMs;
  return aMs < bMs || (aMs === bMs && a.order < b.order);
}
