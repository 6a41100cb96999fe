/** Letters that look like Latin ones, small, each group behind the one it looks like. */
const LOOK_ALIKES = [
  'aаαɑᴀ',
  'bвβʙ',
  'cсϲᴄ',
  'dԁđᴅ',
  'eеєεᴇ',
  'fꜰ',
  'gɡɢ',
  'hһнʜհ',
  'iіıιɪ',
  'jјᴊ',
  'kкκᴋ',
  'lӏłʟ',
  'mмᴍ',
  'nпηɴ',
  'oоοօøᴏ',
  'pрρᴘ',
  'qԛ',
  'rгʀ',
  'sѕꜱ',
  'tтτᴛ',
  'uυսᴜ',
  'vνѵᴠ',
  'wԝωᴡ',
  'xхχ',
  'yуγʏ',
  'zᴢ',
];
const LATIN = new Map(LOOK_ALIKES.flatMap(([latin, ...others]) => others.map((other) => [other, latin!] as const)));
const DIGITS = new Map([...'0o1l3e4a5s7t$s@a'.matchAll(/../g)].map(([[digit, letter]]) => [digit!, letter!] as const));
const ASCII = /^\p{ASCII}*$/u;
const DIGIT_LETTERS = /[013457$@]/;
const MARKS = /\p{M}/u;

/**
 * A name in the letters that it seems to be written in: `pаsswоrd` with Cyrillic letters, `ｐａｓｓｗｏｒｄ`, `contraseña` without its
 * mark. Names in other scripts come out as something that nobody can read and that is always the same.
 */
export function foldedName(name: string): string {
  if (ASCII.test(name)) return name;
  let folded = '';
  for (const character of name.normalize('NFKD')) {
    if (MARKS.test(character)) continue;
    const small = character.toLowerCase();
    const latin = LATIN.get(small) ?? small;
    folded += small === character ? latin : latin.toUpperCase();
  }
  return folded;
}

/** `passw0rd` and `pa$$word` as they are meant, when there is anything of that kind in a name. */
export function withoutDigitLetters(name: string): string | undefined {
  if (!DIGIT_LETTERS.test(name)) return undefined;
  // Digits at the end count several of a kind.
  const counted = name.replace(/\d{1,20}$/, '');
  if (!DIGIT_LETTERS.test(counted)) return undefined;
  let meant = '';
  for (const character of counted) meant += DIGITS.get(character) ?? character;
  return meant;
}
