/** A hundred searches through the text of an event of the largest size would hold up everybody else for a fifth of a second. */
const TEXT_CHARACTERS_MAX = 8_192;

/**
 * Makes the test whether a text is what stands in `pattern`, where every `*` is any run of characters, also none. The pieces
 * between are looked for from left to right, each at its first place: a later place cannot help what follows. So a text is
 * gone through once, whatever the pattern. A longer text than is looked at is no match.
 */
export function compileWildcard(pattern: string): (text: string) => boolean {
  const pieces = pattern.split('*');
  if (pieces.length === 1) return (text) => text === pattern;
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '');
  const least = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return (text) => {
    if (text.length < least || text.length > TEXT_CHARACTERS_MAX || !text.startsWith(first) || !text.endsWith(last))
      return false;
    const end = text.length - last.length;
    let at = first.length;
    for (const piece of middle) {
      const found = text.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= end;
  };
}
