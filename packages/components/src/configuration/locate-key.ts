/**
 * In which line of a TOML file a key stands, for the one who has to correct it. The parser tells lines of syntax errors alone. What
 * is written so that this does not find it (a dotted header in quotes, an inline table) has no line, and the key says enough.
 */
export function locateKey(text: string, keys: readonly string[]): number | undefined {
  const wanted = keys.join('.');
  let table = '';
  let open = '';
  let line = 0;
  for (const raw of text.split('\n')) {
    line++;
    const plain = raw.trim();
    if (open !== '') {
      if (plain.includes(open)) open = '';
      continue;
    }
    if (plain.startsWith('[')) {
      const end = plain.indexOf(']');
      table = end < 0 ? table : normal(plain.slice(1, end).replace('[', ''));
      if (table === wanted) return line;
      continue;
    }
    const equals = plain.indexOf('=');
    if (equals <= 0 || plain.startsWith('#')) continue;
    const key = normal(plain.slice(0, equals));
    if ((table === '' ? key : `${table}.${key}`) === wanted) return line;
    open = opening(plain.slice(equals + 1));
  }
  return undefined;
}

/** Without spaces and quotes, in the spelling of settings. */
function normal(key: string): string {
  return key.replace(/["'\s]/g, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The quotes of a text over several lines that begins here and does not end. */
function opening(value: string): string {
  for (const quotes of ['"""', "'''"]) {
    const at = value.indexOf(quotes);
    if (at >= 0 && !value.includes(quotes, at + 3)) return quotes;
  }
  return '';
}
