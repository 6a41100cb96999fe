/** How URLs write the way to homes, also within another URL. */
const ENCODED_HOME = /(?:[a-z]%(?:25){0,3}3A)?%(?:25){0,3}(?:2F|5C)(?:home|users)%(?:25){0,3}(?:2F|5C)/iy;
/** A separator, or what ends a part of a URL. */
const ENCODED_END = /%(?:25){0,3}(?:2F|5C|3A|3F|26)/iy;
const ENCODED_CHARACTER = /%[0-9a-f]{2}/iy;
const END = /[/\\\s"'`<>|*?&#,;()[\]{}]/;
const USER_CHARACTERS_MAX = 64;

/** Homes in encoded paths, with the names of their users. */
export function withoutEncodedHomes(text: string, replacement: string): string {
  let result = '';
  let taken = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '%' && text[at + 1] !== '%') continue;
    ENCODED_HOME.lastIndex = at;
    const found = ENCODED_HOME.exec(text)?.[0];
    if (found === undefined) continue;
    const start = at + found.length;
    const end = endOfUser(text, start);
    if (end === start) continue;
    result += text.slice(taken, at) + replacement;
    taken = end;
    at = end - 1;
  }
  return taken === 0 ? text : result + text.slice(taken);
}

function endOfUser(text: string, start: number): number {
  let at = start;
  for (let characters = 0; characters < USER_CHARACTERS_MAX && at < text.length; characters++) {
    if (text[at] !== '%') {
      if (END.test(text[at]!)) break;
      at++;
      continue;
    }
    ENCODED_END.lastIndex = at;
    ENCODED_CHARACTER.lastIndex = at;
    if (ENCODED_END.test(text) || !ENCODED_CHARACTER.test(text)) break;
    at += 3;
  }
  return at;
}
