/**
 * The one timer structure of the engine: a binary heap of entries ordered by due time, with a single timer armed for the
 * first. Ten thousand retries and a thousand delivery deadlines cost one timer.
 */
import type { Cancel, Clock, Timers } from '../runtime/clock.ts';

export interface TimetableEntry {
  /** On the monotonic clock, in milliseconds. Must not change while the entry stands in the timetable. */
  readonly dueAtMs: number;
  /** Called once when the time has come. */
  due(): void;
}

interface Slot {
  readonly entry: TimetableEntry;
  readonly order: number;
  /** Where it stands in the heap: removing a thousand entries must not search the heap a thousand times. */
  index: number;
}

export class Timetable {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #heap: Slot[] = [];
  readonly #slots = new Map<TimetableEntry, Slot>();
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
    if (this.#slots.has(entry)) throw new TypeError('An entry stands in the timetable once.');
    const slot: Slot = { entry, order: this.#nextOrder++, index: this.#heap.length };
    this.#slots.set(entry, slot);
    this.#heap.push(slot);
    this.#lift(slot);
    if (entry.dueAtMs < this.#armedForMs) this.#arm();
  }

  /** Forgets an entry that nobody waits for any more; harmless when it does not stand here. */
  remove(entry: TimetableEntry): void {
    const slot = this.#slots.get(entry);
    if (slot) this.#takeOut(slot);
  }

  clear(): void {
    this.#heap.length = 0;
    this.#slots.clear();
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
    for (let first = this.#heap[0]; first && first.entry.dueAtMs <= nowMs; first = this.#heap[0]) {
      this.#takeOut(first);
      first.entry.due();
    }
    this.#arm();
  }

  #takeOut(slot: Slot): void {
    this.#slots.delete(slot.entry);
    const last = this.#heap.pop()!;
    if (last === slot) return;
    this.#put(last, slot.index);
    this.#lift(last);
    this.#lower(last);
  }

  #put(slot: Slot, index: number): void {
    this.#heap[index] = slot;
    slot.index = index;
  }

  #lift(slot: Slot): void {
    while (slot.index > 0) {
      const parent = this.#heap[(slot.index - 1) >> 1]!;
      if (!isBefore(slot, parent)) return;
      this.#swap(slot, parent);
    }
  }

  #lower(slot: Slot): void {
    for (;;) {
      const left = this.#heap[slot.index * 2 + 1];
      const right = this.#heap[slot.index * 2 + 2];
      const child = left && right && isBefore(right, left) ? right : left;
      if (!child || !isBefore(child, slot)) return;
      this.#swap(slot, child);
    }
  }

  #swap(a: Slot, b: Slot): void {
    const index = a.index;
    this.#put(a, b.index);
    this.#put(b, index);
  }
}

/** Entries due at the same time keep the order in which they came: debts recovered together are taken up oldest first. */
function isBefore(a: Slot, b: Slot): boolean {
  const aMs = a.entry.dueAtMs;
  const bMs = b.entry.dueAtMs;
  return aMs < bMs || (aMs === bMs && a.order < b.order);
}
