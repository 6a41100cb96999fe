/*
 * The id is made anew from its character codes: whoever concatenates one, as `randomUUID` of Node does, leaves a tree of
 * twenty parts in memory, which the encoding would pay for (see `known-texts.ts`).
 */
const CHARACTERS = 36;
const DASH = 0x2d;
/** The hexadecimal digits in lower case by their character codes; 0 for everything else. */
const DIGITS = new Uint8Array(256);
for (const digit of '0123456789abcdefABCDEF') DIGITS[digit.charCodeAt(0)] = digit.toLowerCase().charCodeAt(0);

const codes = new Array<number>(CHARACTERS).fill(0);

/** Reads a UUID of any version and returns it in lower case and in one piece; `undefined` when it is none. */
export function readEventId(text: string): string | undefined {
  if (text.length !== CHARACTERS) return undefined;
  for (let index = 0; index < CHARACTERS; index++) {
    const code = text.charCodeAt(index);
    const isDash = index === 8 || index === 13 || index === 18 || index === 23;
    const written = isDash ? (code === DASH ? DASH : 0) : code < DIGITS.length ? DIGITS[code]! : 0;
    if (written === 0) return undefined;
    codes[index] = written;
  }
  return String.fromCharCode.apply(null, codes);
}
