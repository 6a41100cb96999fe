/** First in, first out, without moving the rest for each one that leaves. */
export class Fifo<Value> {
  #values: (Value | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#values.length - this.#head;
  }

  push(value: Value): void {
    this.#values.push(value);
  }

  peek(): Value | undefined {
    return this.#values[this.#head];
  }

  /** The one that stands `ahead` places behind the first. */
  peekAhead(ahead: number): Value | undefined {
    return this.#values[this.#head + ahead];
  }

  shift(): Value | undefined {
    const first = this.#values[this.#head];
    if (first === undefined) return undefined;
    this.#values[this.#head++] = undefined;
    if (this.#head * 2 > this.#values.length) {
      this.#values = this.#values.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }
}
