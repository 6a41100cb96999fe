/*
 * 64-bit integers, little endian, as JavaScript numbers. Every number we keep stays below 2^53; BigInt would cost an
 * allocation per field on the hottest path.
 */

const WORD = 0x1_0000_0000;

export function writeU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % WORD, true);
  view.setUint32(at + 4, Math.floor(value / WORD), true);
}

/** Reads what `writeU64` wrote. A damaged field may exceed 2^53 and lose precision; its checksum has failed by then. */
export function readU64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * WORD;
}
