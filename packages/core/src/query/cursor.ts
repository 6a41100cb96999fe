import type { Place } from '../contracts/event-store.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';

/*
 * A cursor is base64url of: one version byte (1), then per place the partition and the position as LEB128 numbers, then four
 * bytes of FNV-1a over everything before. The checksum finds cut and mistyped cursors; it is no protection against forgery,
 * and none is needed: a forged cursor reads nothing that a filter by time would not. Clients must not look inside.
 */

const VERSION = 1;
const CHECK_BYTES = 4;
/** 53 bits by sevens. */
const NUMBER_BYTES_MAX = 8;
/** Far more partitions than any adapter has. */
const CURSOR_CHARACTERS_MAX = 8_192;

const scratch = Buffer.alloc(32);

/** Writes places as one opaque text: version-marked, checksummed base64url. */
export function encodeCursor(places: readonly Place[]): string {
  const needed = 1 + places.length * 2 * NUMBER_BYTES_MAX + CHECK_BYTES;
  // One place nearly always: every acknowledgement has a cursor.
  const bytes = needed <= scratch.length ? scratch : Buffer.alloc(needed);
  bytes[0] = VERSION;
  let end = 1;
  for (const { partition, position } of places) end = writeNumber(bytes, writeNumber(bytes, end, partition), position);
  const check = fnv1a(bytes, end);
  return bytes.toString('base64url', 0, bytes.writeUInt32BE(check, end));
}

/** Reads what `encodeCursor` wrote. Throws `invalid_cursor`. */
export function decodeCursor(text: string, pointer?: string): readonly Place[] {
  const places = text.length > CURSOR_CHARACTERS_MAX ? undefined : readCursor(text);
  if (places !== undefined) return places;
  const details = pointer === undefined ? {} : { pointer };
  throw new EventManagerError('invalid_cursor', 'The cursor was not made by this product or was cut.', details);
}

function readCursor(text: string): Place[] | undefined {
  const bytes = Buffer.from(text, 'base64url');
  // Node skips characters it does not know; only the exact spelling is a cursor.
  if (bytes.toString('base64url') !== text || bytes.length <= CHECK_BYTES) return undefined;
  const end = bytes.length - CHECK_BYTES;
  if (bytes[0] !== VERSION || bytes.readUInt32BE(end) !== fnv1a(bytes, end)) return undefined;
  const numbers = readNumbers(bytes.subarray(1, end));
  if (numbers === undefined || numbers.length % 2 !== 0) return undefined;
  const places: Place[] = [];
  for (let index = 0; index < numbers.length; index += 2) {
    places.push({ partition: numbers[index]!, position: numbers[index + 1]! });
  }
  return places;
}

/** Returns where the number ends. */
function writeNumber(bytes: Uint8Array, at: number, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`A place holds whole numbers, not ${value}.`);
  let end = at;
  let rest = value;
  while (rest >= 0x80) {
    bytes[end++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[end++] = rest;
  return end;
}

function readNumbers(bytes: Uint8Array): number[] | undefined {
  const numbers: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte & 0x7f) * scale;
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
    if (byte >= 0x80) {
      scale *= 0x80;
      continue;
    }
    numbers.push(value);
    value = 0;
    scale = 1;
  }
  return scale === 1 ? numbers : undefined;
}

function fnv1a(bytes: Uint8Array, end: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < end; index++) hash = Math.imul(hash ^ bytes[index]!, 0x01000193);
  return hash >>> 0;
}
