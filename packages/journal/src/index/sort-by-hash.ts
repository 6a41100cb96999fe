const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const PASSES = 3;
const PAUSE_EVERY = 8192;

/** Hashes in ascending order, each with the ordinal it came from; equal hashes in the order of ordinals. */
export interface SortedHashes {
  readonly hashes: Uint32Array;
  readonly ordinals: Uint32Array;
}

/**
 * Sorts a column of hashes by three stable passes over 11 bits each. A comparison sort of a full segment would hold the event
 * loop for 10 ms and cannot be interrupted. Digits of 16 bits save a pass, but then every write goes to another line of a
 * table that no cache near the core holds: twice as slow. The loops are functions of their own because inside a generator
 * they are not compiled as well. Entries of 0, which say "absent", may be left out.
 */
export function* sortByHash(column: Uint32Array, count: number, skipAbsent: boolean): Generator<void, SortedHashes> {
  let from = newPairs(count);
  let to = newPairs(count);
  const counts = new Uint32Array(PASSES * DIGITS);
  let length = 0;
  for (let at = 0; at < count; at += PAUSE_EVERY) {
    length = gather(column, at, Math.min(count, at + PAUSE_EVERY), skipAbsent, { into: from, length, counts });
    yield;
  }
  for (let pass = 0; pass < PASSES; pass++) {
    const next = counts.subarray(pass * DIGITS, (pass + 1) * DIGITS);
    if (!startsOfDigits(next, length)) continue;
    for (let at = 0; at < length; at += PAUSE_EVERY) {
      scatter(from, to, at, Math.min(length, at + PAUSE_EVERY), { next, shift: pass * DIGIT_BITS });
      yield;
    }
    [from, to] = [to, from];
  }
  return { hashes: from.hashes.subarray(0, length), ordinals: from.ordinals.subarray(0, length) };
}

function newPairs(count: number): SortedHashes {
  return { hashes: new Uint32Array(count), ordinals: new Uint32Array(count) };
}

/** Copies hashes with their ordinals and counts every digit of them; returns how many there are now. */
function gather(
  column: Uint32Array,
  begin: number,
  end: number,
  skipAbsent: boolean,
  gathered: { into: SortedHashes; length: number; counts: Uint32Array },
): number {
  const { counts } = gathered;
  const { hashes, ordinals } = gathered.into;
  let { length } = gathered;
  for (let ordinal = begin; ordinal < end; ordinal++) {
    const hash = column[ordinal]!;
    if (skipAbsent && hash === 0) continue;
    hashes[length] = hash;
    ordinals[length++] = ordinal;
    for (let pass = 0; pass < PASSES; pass++) {
      const digit = pass * DIGITS + ((hash >>> (pass * DIGIT_BITS)) & (DIGITS - 1));
      counts[digit] = counts[digit]! + 1;
    }
  }
  return length;
}

/** Turns how often each digit occurs into where its first one goes. False when all have the same: nothing is to be moved. */
function startsOfDigits(counts: Uint32Array, length: number): boolean {
  let start = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const count = counts[digit]!;
    if (count === length) return false;
    counts[digit] = start;
    start += count;
  }
  return true;
}

function scatter(
  from: SortedHashes,
  to: SortedHashes,
  begin: number,
  end: number,
  { next, shift }: { next: Uint32Array; shift: number },
): void {
  const { hashes, ordinals } = to;
  for (let index = begin; index < end; index++) {
    const hash = from.hashes[index]!;
    const digit = (hash >>> shift) & (DIGITS - 1);
    const place = next[digit]!;
    next[digit] = place + 1;
    hashes[place] = hash;
    ordinals[place] = from.ordinals[index]!;
  }
}
