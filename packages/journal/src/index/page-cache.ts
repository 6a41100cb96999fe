/** 16 MiB of index pages. */
const PAGES_MAX = 4096;

/** Verified pages of all index files, the least recently used dropped first. */
export class PageCache {
  readonly #pages = new Map<string, Buffer>();

  get(file: { readonly name: string }, page: number): Buffer | undefined {
    const key = `${file.name}:${page}`;
    const bytes = this.#pages.get(key);
    if (bytes === undefined) return undefined;
    this.#pages.delete(key);
    this.#pages.set(key, bytes);
    return bytes;
  }

  put(file: { readonly name: string }, page: number, bytes: Buffer): void {
    this.#pages.set(`${file.name}:${page}`, bytes);
    if (this.#pages.size <= PAGES_MAX) return;
    for (const oldest of this.#pages.keys()) {
      this.#pages.delete(oldest);
      return;
    }
  }

  /** Forgets a file that was removed or made anew. */
  drop(name: string): void {
    for (const key of this.#pages.keys()) if (key.startsWith(`${name}:`)) this.#pages.delete(key);
  }
}
