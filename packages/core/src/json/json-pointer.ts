/** Appends one reference token to a JSON pointer (RFC 6901): `~` becomes `~0` and `/` becomes `~1`. */
export function jsonPointer(parent: string, token: string | number): string {
  if (typeof token === 'number') return `${parent}/${token}`;
  // A hostile key may be a megabyte long; the place in the input is clear from its beginning.
  const short = token.length > TOKEN_CHARACTERS_MAX ? `${token.slice(0, TOKEN_CHARACTERS_MAX)}…` : token;
  return `${parent}/${short.toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

const TOKEN_CHARACTERS_MAX = 200;
