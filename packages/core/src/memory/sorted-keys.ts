/** A key that comes or goes moves half as many others on average, whatever their number. */
const BLOCK_KEYS_MAX = 512;

/**
 * The keys of one kind of state, ascending by UTF-16 code units, in blocks: none is empty, each stands below the next. A list in
 * one piece has to be sorted or copied as a whole after a change, and for a million keys everything else waits meanwhile.
 */
export class SortedKeys {
  readonly #blocks: string[][] = [];

  /** A key that is there stays. */
  add(key: string): void {
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    if (block === undefined) {
      this.#blocks.push([key]);
      return;
    }
    const place = placeOf(block, key);
    if (block[place] === key) return;
    if (place === block.length) block.push(key);
    else block.splice(place, 0, key);
    if (block.length > BLOCK_KEYS_MAX) this.#split(at, place);
  }

  /** A key that is not there is no mistake. */
  delete(key: string): void {
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    if (block === undefined) return;
    const place = placeOf(block, key);
    if (block[place] !== key) return;
    block.splice(place, 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  /** At most `limit` keys that begin with `prefix`, from the first one behind `after` on. */
  page({ prefix = '', after, limit }: { prefix?: string; after?: string | undefined; limit: number }): {
    readonly keys: readonly string[];
    readonly hasMore: boolean;
  } {
    const isBehind = after !== undefined && after >= prefix;
    const bound = isBehind ? after : prefix;
    const keys: string[] = [];
    for (let at = this.#blockOf(bound); at < this.#blocks.length; at++) {
      const block = this.#blocks[at]!;
      for (let place = placeOf(block, bound); place < block.length; place++) {
        const key = block[place]!;
        if (isBehind && key === after) continue;
        if (!key.startsWith(prefix)) return { keys, hasMore: false };
        if (keys.length >= limit) return { keys, hasMore: true };
        keys.push(key);
      }
    }
    return { keys, hasMore: false };
  }

  /** The last block that begins at or below `key`: where it stands, or would. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#blocks[middle]![0]! <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** In the middle, unless keys come in their order: then the block that is left is full, and nothing comes to it any more. */
  #split(at: number, place: number): void {
    const block = this.#blocks[at]!;
    const rest = block.splice(place === BLOCK_KEYS_MAX ? place : BLOCK_KEYS_MAX >>> 1);
    this.#blocks.splice(at + 1, 0, rest);
  }
}

/** Index of the first key ≥ `bound`; `<` on strings compares UTF-16 code units, as the contract of state stores says. */
function placeOf(keys: readonly string[], bound: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
