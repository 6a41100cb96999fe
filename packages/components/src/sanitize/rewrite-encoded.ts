/** A piece without spaces and quotes in which something is written as URLs write it. */
const ENCODED = /%[0-9a-f]{2}/i;
const CHARACTER = /%([0-9a-f]{2})/gi;
const CHARACTERS = /(?:%[0-9a-f]{2}){1,64}/gi;
const ENDS = ' \t\r\n"\'`<>';
/** What would end a word, or its value: it stays encoded at first. */
const BREAKING = /[\s"'`<>()[\]{},;|\p{Cc}\u0080-\u00ff]/u;

/**
 * Rewrites what is hidden by the encoding of URLs, also of parts of words: first with everything decoded but what would break the
 * word, so that a value stays in one piece, and then with that, too. Where nothing is found the text stays as it is. `rewrite` must leave alone what
 * it rewrote before.
 */
export function rewriteEncoded(text: string, rewrite: (decoded: string) => string): string {
  if (!text.includes('%') || !ENCODED.test(text)) return text;
  let result = '';
  let start = 0;
  for (let end = 0; end <= text.length; end++) {
    if (end < text.length && !ENDS.includes(text[end]!)) continue;
    const piece = text.slice(start, end);
    result += ENCODED.test(piece) ? rewritten(piece, rewrite) : piece;
    result += text[end] ?? '';
    start = end + 1;
  }
  return result;
}

function rewritten(piece: string, rewrite: (decoded: string) => string): string {
  const inOnePiece = piece.replace(CHARACTER, (whole, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return BREAKING.test(character) ? whole : character;
  });
  const first = inOnePiece === piece ? piece : rewrite(inOnePiece);
  const result = first === inOnePiece ? piece : first;
  const readable = result.replace(CHARACTERS, decoded);
  if (readable === result || readable === inOnePiece) return result;
  const second = rewrite(readable);
  return second === readable ? result : second;
}

function decoded(run: string): string {
  try {
    return decodeURIComponent(run);
  } catch {
    return run;
  }
}
