/** Characters that take no room: put into a secret or an address they keep it from being found, and nobody sees them. */
const INVISIBLE = /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]+/g;
/** The same as URLs write some of them. */
const ENCODED = /%E2%80%8[B-F]|%EF%BB%BF|%C2%AD/gi;
/** Where they decide how something is read: scripts that join their letters, marks, and pictures made of several. */
const NEEDS_THEM = /[\p{M}\p{Extended_Pictographic}\p{Cs}]/u;
const LETTER = /\p{L}/u;
const STANDS_ALONE =
  /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const ASCII = /^\p{ASCII}*$/u;

/** Takes out what takes no room, but where it belongs to how a script is written. */
export function withoutInvisible(given: string): string {
  const text = given.includes('%') ? given.replace(ENCODED, '') : given;
  if (ASCII.test(text)) return text;
  return text.replace(INVISIBLE, (run, at: number) =>
    isNeeded(text[at - 1]) || isNeeded(text[at + run.length]) ? run : '',
  );
}

function isNeeded(neighbour: string | undefined): boolean {
  if (neighbour === undefined) return false;
  return NEEDS_THEM.test(neighbour) || (LETTER.test(neighbour) && !STANDS_ALONE.test(neighbour));
}
