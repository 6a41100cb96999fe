/** Account, hosts, name and parameters: what a database is addressed by, with several hosts where there are copies of it. */
const ADDRESS = /^postgres(?:ql)?:\/\/(?:[^/?#@]*@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;
const PORT = '5432';

export function isDatabaseAddress(text: string): boolean {
  const [, hosts] = ADDRESS.exec(text) ?? [];
  return hosts?.split(',').every((host) => URL.canParse(`postgresql://${host}`)) === true;
}

/** Where a database is, for people: never the user or the password that its address holds. */
export function databasePlace(address: string): string {
  const [, hosts = '', name = '', parameters] = ADDRESS.exec(address) ?? [];
  const places = (hosts || new URLSearchParams(parameters).get('host') || 'localhost').split(',').map(withPort);
  return `${name === '' ? 'the default database' : `database ${decoded(name)}`} on ${places.join(' or ')}`;
}

function withPort(host: string): string {
  return /:\d+$/.test(host) ? host : `${host}:${PORT}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
