import type { Runtime } from '../runtime/runtime.ts';

/*
 * Version 7 UUIDs (RFC 9562, section 6.2, method 1): 48 bits of milliseconds, a 12-bit counter in rand_a, 62 random bits.
 * Invariant: every identifier of one source is greater than the one before. The counter starts anew, at a random place
 * in its lower half, only when the clock has passed the last millisecond used; while the clock stands or goes back the
 * counter runs on, and when it is used up the millisecond is borrowed from the future.
 */

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
/** Character codes of the digits of `HEX`. */
const HIGH = Uint8Array.from(HEX, (pair) => pair.charCodeAt(0));
const LOW = Uint8Array.from(HEX, (pair) => pair.charCodeAt(1));
const EMPTY = '00000000-0000-0000-0000-000000000000';
const RANDOM_BYTES = 4096;
const TAIL_BYTES = 8;
const COUNTER_MAX = 0xfff;

/**
 * Makes event ids: version 7 UUIDs in lower case that ascend within this source even if the clock goes back. They are
 * written as character codes and not concatenated: a concatenated id stays a tree in memory, whose flattening costs three
 * times as much as making the id, and which sends `JSON.stringify` of the event the slow way (V8 14).
 */
export function createEventIdSource(runtime: Runtime): () => string {
  const random = new Uint8Array(RANDOM_BYTES);
  const codes = Array.from(EMPTY, (character) => character.charCodeAt(0));
  const write = (at: number, byte: number): void => {
    codes[at] = HIGH[byte]!;
    codes[at + 1] = LOW[byte]!;
  };
  let used = RANDOM_BYTES;
  let lastMs = -1;
  let counter = 0;
  return () => {
    if (used === RANDOM_BYTES) {
      runtime.chance.fill(random);
      used = 0;
    }
    const at = used;
    used += TAIL_BYTES;
    const nowMs = Math.floor(runtime.clock.wallMs());
    if (nowMs > lastMs || counter === COUNTER_MAX) {
      lastMs = nowMs > lastMs ? nowMs : lastMs + 1;
      // These bits are also the last ones of the tail: 11 random bits so that two processes rarely start alike.
      counter = ((random[at]! << 8) | random[at + 7]!) & 0x7ff;
      for (let byte = 0; byte < 6; byte++) {
        write(byte < 4 ? byte * 2 : byte * 2 + 1, Math.floor(lastMs / 2 ** (40 - byte * 8)) & 0xff);
      }
    } else {
      counter++;
    }
    write(14, 0x70 | (counter >>> 8));
    write(16, counter & 0xff);
    write(19, 0x80 | (random[at]! & 0x3f));
    write(21, random[at + 1]!);
    for (let byte = 2; byte < TAIL_BYTES; byte++) write(20 + byte * 2, random[at + byte]!);
    return String.fromCharCode.apply(null, codes);
  };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Reads a UUID of any version and returns it in lower case; `undefined` when it is none. */
export function parseEventId(text: string): string | undefined {
  return text.length === 36 && UUID.test(text) ? text.toLowerCase() : undefined;
}

/** Writes the 16 bytes of a UUID (as `parseEventId` returns it) to `into` from offset `at`. */
export function uuidBytes(id: string, into: Uint8Array, at: number): void {
  let offset = at;
  for (let index = 0; index < 36; index += 2) {
    if (index === 8 || index === 13 || index === 18 || index === 23) index++;
    into[offset++] = (digit(id.charCodeAt(index)) << 4) | digit(id.charCodeAt(index + 1));
  }
}

function digit(code: number): number {
  return code < 0x3a ? code - 0x30 : (code | 0x20) - 0x57;
}

/** The text of the 16 bytes at offset `at`, in lower case. */
export function uuidText(bytes: Uint8Array, at: number): string {
  return (
    HEX[bytes[at]!]! +
    HEX[bytes[at + 1]!] +
    HEX[bytes[at + 2]!] +
    HEX[bytes[at + 3]!] +
    '-' +
    HEX[bytes[at + 4]!] +
    HEX[bytes[at + 5]!] +
    '-' +
    HEX[bytes[at + 6]!] +
    HEX[bytes[at + 7]!] +
    '-' +
    HEX[bytes[at + 8]!] +
    HEX[bytes[at + 9]!] +
    '-' +
    HEX[bytes[at + 10]!] +
    HEX[bytes[at + 11]!] +
    HEX[bytes[at + 12]!] +
    HEX[bytes[at + 13]!] +
    HEX[bytes[at + 14]!] +
    HEX[bytes[at + 15]!]
  );
}
