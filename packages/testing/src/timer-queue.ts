/** Something that will happen at a virtual time. */
export interface TimerEntry {
  readonly dueAtMs: number;
  readonly run: () => void;
}

interface Slot extends TimerEntry {
  readonly order: number;
  cancelled: boolean;
}

/**
 * A binary heap of what will happen, earliest first; of two at the same time, the one asked for first. A cancelled entry
 * stays in the heap until it comes to the top, which is cheaper than finding it.
 */
export class TimerQueue {
  readonly #heap: Slot[] = [];
  #nextOrder = 0;
  #live = 0;

  get size(): number {
    return this.#live;
  }

  add(dueAtMs: number, run: () => void): () => void {
    const slot: Slot = { dueAtMs, run, order: this.#nextOrder++, cancelled: false };
    this.#live++;
    this.#heap.push(slot);
    this.#rise(this.#heap.length - 1);
    return () => {
      if (slot.cancelled) return;
      slot.cancelled = true;
      this.#live--;
    };
  }

  /** Removes and gives the first entry if it is due by `untilMs`. */
  takeDueBy(untilMs: number): TimerEntry | undefined {
    for (let top = this.#heap[0]; top !== undefined && top.dueAtMs <= untilMs; top = this.#heap[0]) {
      this.#removeTop();
      if (top.cancelled) continue;
      // Counts as cancelled from here on, so that a late cancel does not count it twice.
      top.cancelled = true;
      this.#live--;
      return top;
    }
    return undefined;
  }

  #removeTop(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(index: number): void {
    for (let child = index; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#swapIfEarlier(child, parent)) return;
      child = parent;
    }
  }

  #sink(index: number): void {
    for (let parent = index; ; ) {
      let child = 2 * parent + 1;
      if (child + 1 < this.#heap.length && isEarlier(this.#heap[child + 1]!, this.#heap[child]!)) child++;
      if (child >= this.#heap.length || !this.#swapIfEarlier(child, parent)) return;
      parent = child;
    }
  }

  #swapIfEarlier(a: number, b: number): boolean {
    const first = this.#heap[a]!;
    const second = this.#heap[b]!;
    if (!isEarlier(first, second)) return false;
    this.#heap[a] = second;
    this.#heap[b] = first;
    return true;
  }
}

function isEarlier(a: Slot, b: Slot): boolean {
  return a.dueAtMs === b.dueAtMs ? a.order < b.order : a.dueAtMs < b.dueAtMs;
}
