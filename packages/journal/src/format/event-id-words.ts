import { EventManagerError } from '@event-manager/core';

/*
 * Event ids are 128 bits on disk and four 32-bit words in memory. Parsed by hand: a `Buffer.from(hex)` per event shows in
 * the profile of the append path.
 */

const DIGIT = new Int8Array(256).fill(-1);
for (let code = 0; code < 256; code++) {
  const value = Number.parseInt(String.fromCharCode(code), 16);
  if (!Number.isNaN(value)) DIGIT[code] = value;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Offsets of the 16 byte pairs in `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
const PAIRS = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;

/** Writes the four big-endian words of `id` to `into` from index `at`. Throws `invalid_event` for anything but a UUID. */
export function parseEventIdWords(id: string, into: Uint32Array, at: number): void {
  let seen = id.length === 36 ? 0 : -1;
  for (let word = 0; word < 4; word++) {
    let bits = 0;
    for (let byte = 0; byte < 4; byte++) {
      const pair = PAIRS[word * 4 + byte]!;
      const high = DIGIT[id.charCodeAt(pair) & 0xff]!;
      const low = DIGIT[id.charCodeAt(pair + 1) & 0xff]!;
      seen |= high | low;
      bits = (bits << 8) | (high << 4) | low;
    }
    into[at + word] = bits;
  }
  if (seen < 0) throw new EventManagerError('invalid_event', 'The event id is not a UUID.', { pointer: '/id' });
}

/** The id whose 16 bytes stand at offset `at`, in lower case. */
export function eventIdText(bytes: Uint8Array, at: number): string {
  let text = '';
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += '-';
    text += HEX[bytes[at + index]!];
  }
  return text;
}
