/** How names of folders and files are made of paths: each separator becomes one of these. */
const HOME = /([-_%!+])(home|Users)\1{1,2}/g;
/** What may stand before: a drive, or where homes are mounted. */
const BEFORE =
  /^(?:[A-Za-z][-_%!+]?|(?:[-_%!+](?:[a-z]|mnt|var|export|usr|data|media|srv|net|nfs|host|hostfs|rootfs|private|Volumes|System|Data)){1,3})?$/;
const BEFORE_CHARACTERS_MAX = 40;
const NAME_CHARACTERS_MAX = 64;
/** Ordinary words behind `home`, of flags and names in programs. */
const NOT_USERS = new Set(
  'page pages dir dirs directory path folder url uri screen button link icon view assistant office phone address delivery automation server network tab menu nav route router team base brew work made'.split(
    ' ',
  ),
);
const START = /[\s/\\"'`([{<=:,;|]/;

/** Homes in names that were made of paths, as in `projects/-home-alice-shop`. A name with the same sign in it is taken up to there. */
export function withoutNamedHomes(text: string, replacement: string): string {
  let result = '';
  let taken = 0;
  for (const { 0: home, 1: sign, index } of text.matchAll(HOME)) {
    const start = wordStart(text, Math.max(taken, index - BEFORE_CHARACTERS_MAX), index);
    if (start === undefined || !BEFORE.test(text.slice(start, index))) continue;
    const end = nameEnd(text, index + home.length, sign!);
    const name = text.slice(index + home.length, end);
    const isFolder = text[end] === sign || (start > 0 && '/\\'.includes(text[start - 1]!));
    if (name === '' || !isFolder || NOT_USERS.has(name.toLowerCase())) continue;
    result += text.slice(taken, start) + replacement;
    taken = end;
  }
  return taken === 0 ? text : result + text.slice(taken);
}

function wordStart(text: string, from: number, at: number): number | undefined {
  for (let start = at; start > from; start--) if (START.test(text[start - 1]!)) return start;
  return from === 0 || START.test(text[from - 1]!) ? from : undefined;
}

function nameEnd(text: string, from: number, sign: string): number {
  let end = from;
  while (end < text.length && end - from < NAME_CHARACTERS_MAX && text[end] !== sign && !START.test(text[end]!)) end++;
  return end;
}
