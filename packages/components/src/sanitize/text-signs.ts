export const QUOTES = '"\'`';
/** Quotes of other languages, and what closes each. */
export const QUOTE_ENDS: ReadonlyMap<string, string> = new Map([
  ['«', '»'],
  ['‹', '›'],
  ['“', '”'],
  ['„', '“”'],
  ['‘', '’'],
  ['「', '」'],
  ['『', '』'],
]);
export const SPACES =
  ' \t\r\n\v\f\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';
export const BREAKS = `${SPACES}"'\`()[]{}<>,;|«»‹›“”„‘「」『』—–→`;
/** What ends a value without quotes. */
export const VALUE_ENDS = `${SPACES}"'\`<>»›”「」『』`;
/** What stands between a name and its value, also in texts that were put into quotes again and again. */
export const SIGN = /^(?:[=:：＝﹕﹦꞉∶]{1,2}|[=:-]>|:=)?\\{0,32}$/;
export const LEADING_SIGN = /^[=:：＝]{1,2}(?=[^=:：＝>\\])/;
export const ENDS_WITH_SIGN = /[=:：＝﹕﹦꞉∶]\\{0,32}$/;

/** Without the signs around it. */
export function bare(word: string): string {
  let start = 0;
  let end = word.length;
  while (start < end && '-.:=!?\\/$%&*#@'.includes(word[start]!)) start++;
  while (end > start && '.:=!?\\/'.includes(word[end - 1]!)) end--;
  return word.slice(start, end);
}
