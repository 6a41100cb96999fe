const A = 0x41;
const Z = 0x5a;
const CASE_BIT = 0x20;
const ASCII_END = 0x80;
/** No character becomes shorter than a third of itself in lower case. */
const SHRINKS_MAX = 3;

/**
 * Makes the test whether a text is the wanted one when both are written in lower case. Letters of ASCII are compared where
 * they stand; only a text with others is written anew.
 */
export function compileEqualsIgnoreCase(wanted: string): (text: string) => boolean {
  const lower = wanted.toLowerCase();
  return (text) => {
    if (text.length !== lower.length) return isForeign(text, lower) && text.toLowerCase() === lower;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code >= ASCII_END) return text.toLowerCase() === lower;
      const folded = code >= A && code <= Z ? code | CASE_BIT : code;
      if (folded !== lower.charCodeAt(index)) return hasForeign(text, index) && text.toLowerCase() === lower;
    }
    return true;
  };
}

/** Another length may be the same text only where a letter changes its length with its case. */
function isForeign(text: string, lower: string): boolean {
  return text.length <= lower.length * SHRINKS_MAX && hasForeign(text, 0);
}

function hasForeign(text: string, from: number): boolean {
  for (let index = from; index < text.length; index++) if (text.charCodeAt(index) >= ASCII_END) return true;
  return false;
}
