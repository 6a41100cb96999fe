const DIGIT_BITS = 16;
const DIGITS = 1 << DIGIT_BITS;
const PAUSE_EVERY = 8192;

/** Hashes in ascending order, each with the ordinal it came from; equal hashes in the order of ordinals. */
export interface SortedHashes {
  readonly hashes: Uint32Array;
  readonly ordinals: Uint32Array;
}

/**
 * Sorts a column of hashes by two stable passes over 16 bits each. A comparison sort of a full segment would hold the event
 * loop for 10 ms and cannot be interrupted. Entries of 0, which say "absent", may be left out.
 */
export function* sortByHash(column: Uint32Array, count: number, skipAbsent: boolean): Generator<void, SortedHashes> {
  let ordinals = new Uint32Array(count);
  let length = 0;
  for (let ordinal = 0; ordinal < count; ordinal++) {
    if (!skipAbsent || column[ordinal] !== 0) ordinals[length++] = ordinal;
    if (ordinal % PAUSE_EVERY === 0) yield;
  }
  ordinals = ordinals.subarray(0, length);
  for (const shift of [0, DIGIT_BITS]) ordinals = yield* pass(column, ordinals, shift);
  const hashes = new Uint32Array(length);
  for (let index = 0; index < length; index++) {
    hashes[index] = column[ordinals[index]!]!;
    if (index % PAUSE_EVERY === 0) yield;
  }
  return { hashes, ordinals };
}

function* pass(column: Uint32Array, ordinals: Uint32Array, shift: number): Generator<void, Uint32Array<ArrayBuffer>> {
  const next = new Uint32Array(DIGITS + 1);
  for (let index = 0; index < ordinals.length; index++) {
    const digit = (column[ordinals[index]!]! >>> shift) & (DIGITS - 1);
    next[digit + 1] = next[digit + 1]! + 1;
    if (index % PAUSE_EVERY === 0) yield;
  }
  for (let digit = 0; digit < DIGITS; digit++) next[digit + 1] = next[digit + 1]! + next[digit]!;
  yield;
  const sorted = new Uint32Array(ordinals.length);
  for (let index = 0; index < ordinals.length; index++) {
    const digit = (column[ordinals[index]!]! >>> shift) & (DIGITS - 1);
    const place = next[digit]!;
    sorted[place] = ordinals[index]!;
    next[digit] = place + 1;
    if (index % PAUSE_EVERY === 0) yield;
  }
  return sorted;
}
