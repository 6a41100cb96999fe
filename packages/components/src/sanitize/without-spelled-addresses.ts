const EMAIL = '[email]';
/** How people write the sign so that programs do not find it; in brackets, or with spaces around it. */
const AT =
  /[([{<][ \t\u00a0]{0,2}(?:at|ät|@|arroba|chez|bei)[ \t\u00a0]{0,2}[)\]}>]|[ \t\u00a0]at(?=[ \t\u00a0])|@(?=[ \t\u00a0])|([-_*])at\1/gi;
const BRACKETED_DOT = /[([{<][ \t\u00a0]{0,2}(?:dot|punkt|point|punto|\.)[ \t\u00a0]{0,2}[)\]}>]/iy;
const DOT_WORD = /(?:dot|punkt|punto)(?=[ \t\u00a0])/iy;
const DOT_CHARACTERS_MIN = 3;
const DOT_CHARACTERS_MAX = 12;
/** Between dashes a dash is no part of a name. */
const SHORT_LABEL = /[\p{L}\p{N}]{1,63}/uy;
const LABEL = /[\p{L}\p{N}][\p{L}\p{N}-]{0,62}/uy;
const LOCAL = /[\p{L}\p{N}.+'~-]/u;
const LOCAL_CHARACTERS_MAX = 64;
const LABELS_MAX = 6;
const SPACES_MAX = 3;
const LAST_LABEL = /^\p{L}{2,24}$/u;
/** Where the sign is an ordinary word the end has to be one of these, and no sentence goes on like that. */
const KNOWN_ENDS = new Set(
  'com org net edu gov info biz io dev app me co eu de at ch fr es it nl be uk us ca au nz jp cn kr in br mx ru pl cz se no dk fi pt ie'.split(
    ' ',
  ),
);

/** Replaces addresses of mail whose sign or dots are spelled out: `alice (at) example (dot) com`. */
export function withoutSpelledAddresses(text: string): string {
  let result = '';
  let taken = 0;
  for (const { 0: sign, 1: mark, index } of text.matchAll(AT)) {
    if (index < taken) continue;
    const start = localStart(text, taken, index);
    const isWord = mark !== undefined || sign.trim().toLowerCase() === 'at';
    const end = start === index ? undefined : domainEnd(text, index + sign.length, { isWord, mark });
    if (end === undefined) continue;
    result += text.slice(taken, start) + EMAIL;
    taken = end;
  }
  return taken === 0 ? text : result + text.slice(taken);
}

/** Also of `alice (dot) smith (at) …`. */
function localStart(text: string, from: number, sign: number): number {
  let start = partStart(text, from, withoutSpaces(text, from, sign));
  if (start === withoutSpaces(text, from, sign)) return sign;
  for (let parts = 1; parts < LABELS_MAX; parts++) {
    const dot = dotBefore(text, from, withoutSpaces(text, from, start));
    const before = dot === undefined ? undefined : withoutSpaces(text, from, dot);
    if (before === undefined || partStart(text, from, before) === before) break;
    start = partStart(text, from, before);
  }
  return start;
}

function withoutSpaces(text: string, from: number, end: number): number {
  let at = end;
  while (at > from && end - at < SPACES_MAX && isSpace(text, at - 1)) at--;
  return at;
}

function partStart(text: string, from: number, end: number): number {
  let start = end;
  while (start > from && end - start < LOCAL_CHARACTERS_MAX && LOCAL.test(text[start - 1]!)) start--;
  return start;
}

function dotBefore(text: string, from: number, end: number): number | undefined {
  for (let length = DOT_CHARACTERS_MIN; length <= DOT_CHARACTERS_MAX && end - length > from; length++) {
    BRACKETED_DOT.lastIndex = end - length;
    if (BRACKETED_DOT.exec(text)?.[0].length === length) return end - length;
  }
  return undefined;
}

interface Spelling {
  /** The sign is an ordinary word. */
  readonly isWord: boolean;
  /** Stands around the words: `-at-`. */
  readonly mark: string | undefined;
}

function domainEnd(text: string, from: number, { isWord, mark }: Spelling): number | undefined {
  let at = behindSpaces(text, from);
  let end: number | undefined;
  let isSpelled = false;
  for (let labels = 0; labels < LABELS_MAX; labels++) {
    const form = mark === undefined ? LABEL : SHORT_LABEL;
    form.lastIndex = at;
    const label = form.exec(text)?.[0];
    if (label === undefined) break;
    at += label.length;
    const isEnd = isWord ? isSpelled && KNOWN_ENDS.has(label.toLowerCase()) : LAST_LABEL.test(label);
    if (labels > 0 && isEnd) end = at;
    const next = behindDot(text, at, mark === undefined ? '_dot_' : `${mark}dot${mark}`);
    if (next === undefined) break;
    isSpelled ||= next > at + 1;
    at = next;
  }
  return end;
}

/** A dot with a space behind it alone ends a sentence. */
function behindDot(text: string, from: number, marked: string): number | undefined {
  const at = behindSpaces(text, from);
  BRACKETED_DOT.lastIndex = at;
  const bracketed = BRACKETED_DOT.exec(text)?.[0];
  if (bracketed !== undefined) return behindSpaces(text, at + bracketed.length);
  if (text[at] === '.' && isSpace(text, at + 1) === at > from) return behindSpaces(text, at + 1);
  if (text.startsWith(marked, at)) return behindSpaces(text, at + marked.length);
  DOT_WORD.lastIndex = at;
  const word = at > from ? DOT_WORD.exec(text)?.[0] : undefined;
  return word === undefined ? undefined : behindSpaces(text, at + word.length);
}

function behindSpaces(text: string, from: number): number {
  let at = from;
  while (at - from < SPACES_MAX && isSpace(text, at)) at++;
  return at;
}

function isSpace(text: string, at: number): boolean {
  return text[at] === ' ' || text[at] === '\t' || text[at] === '\u00a0';
}
