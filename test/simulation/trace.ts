import { createHash, type Hash } from 'node:crypto';

/** What happened, in order, as a hash: two runs of one seed must have the same. The last lines are kept for people. */
export class Trace {
  readonly #hash: Hash = createHash('sha256');
  readonly #lines: string[] = [];
  readonly #linesMax: number;

  constructor(linesMax: number) {
    this.#linesMax = linesMax;
  }

  add(atMs: number, what: string): void {
    const line = `${atMs.toFixed(3)} ${what}`;
    this.#hash.update(line).update('\n');
    if (this.#linesMax === 0) return;
    this.#lines.push(line);
    if (this.#lines.length > this.#linesMax) this.#lines.shift();
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  digest(): string {
    return this.#hash.digest('hex').slice(0, 16);
  }
}
