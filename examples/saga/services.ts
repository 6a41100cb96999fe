import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';

/**
 * The services that a shop talks to, in one file: what each of them did, a line each, kept as durably as a payment provider
 * would. A key that is there was done, and is not done again: that is what makes a step idempotent.
 */
export class Services {
  readonly #path: string;
  readonly #onDone: (key: string) => void;
  readonly #done = new Set<string>();

  constructor(path: string, onDone: (key: string) => void = () => {}) {
    this.#path = path;
    this.#onDone = onDone;
    for (const { key } of readServices(path)) this.#done.add(key);
  }

  /** False when it was done before. */
  do(key: string, effect: string): boolean {
    if (this.#done.has(key)) return false;
    const file = openSync(this.#path, 'a', 0o600);
    try {
      writeSync(file, `${JSON.stringify({ key, effect })}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    this.#done.add(key);
    this.#onDone(key);
    return true;
  }
}

/** Everything that the services ever did, in that order. */
export function readServices(path: string): { readonly key: string; readonly effect: string }[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { key: string; effect: string });
}
