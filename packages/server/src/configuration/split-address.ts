/** The parts of `scheme://account@hosts/path?parameters`. */
export interface SplitAddress {
  /** In small letters. */
  readonly scheme: string;
  /** One or several, with their ports. */
  readonly hosts: string;
  readonly path: string | undefined;
  readonly parameters: string | undefined;
}

const BEHIND_SCHEME = '://';

/**
 * Splits what `URL` does not know: an address may name several hosts. `undefined` for a text that has no scheme, has a fragment, or
 * an `@` too many, as a password has that was not written as %xx. The account is left out: nobody may print it.
 */
export function splitAddress(text: string): SplitAddress | undefined {
  const schemeEnd = text.indexOf(BEHIND_SCHEME);
  if (schemeEnd < 0 || text.includes('#')) return undefined;
  const [beforeParameters, parameters] = cutAt(text.slice(schemeEnd + BEHIND_SCHEME.length), '?');
  const [authority, path] = cutAt(beforeParameters, '/');
  const hosts = authority.slice(authority.indexOf('@') + 1);
  if (hosts.includes('@')) return undefined;
  return { scheme: text.slice(0, schemeEnd).toLowerCase(), hosts, path, parameters };
}

function cutAt(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
