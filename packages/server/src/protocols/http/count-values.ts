const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const OPEN_OBJECT = 0x7b;

/**
 * How many values a JSON text holds, at least: one, and one more for each comma, list and object outside of its texts. Stops
 * at `enough`. Counted on the bytes before anything is made of them: what JSON costs is its values, not its length, and
 * reading four mebibytes of short keys would hold up everybody else for half a second.
 */
export function countValues(json: Uint8Array, enough: number): number {
  let count = 1;
  for (let at = 0; at < json.length && count < enough; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfText(json, at);
    else if (byte === COMMA || byte === OPEN_LIST || byte === OPEN_OBJECT) count++;
  }
  return count;
}

/** The index of the quote that ends the text which begins at `start`. */
function endOfText(json: Uint8Array, start: number): number {
  let end = json.indexOf(QUOTE, start + 1);
  while (end >= 0 && isEscaped(json, end)) end = json.indexOf(QUOTE, end + 1);
  return end < 0 ? json.length : end;
}

function isEscaped(json: Uint8Array, quote: number): boolean {
  let backslashes = 0;
  while (json[quote - 1 - backslashes] === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}
