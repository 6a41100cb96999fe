/** Where a database is, for people: never the user or the password that its address holds. */
export function databasePlace(url: string): string {
  const address = URL.parse(url);
  if (address === null) return 'at an address that cannot be read';
  const { hostname, port, pathname, searchParams } = address;
  const host = hostname || searchParams.get('host') || 'localhost';
  const name = decoded(pathname.slice(1));
  return `${name === '' ? 'the default database' : `database ${name}`} on ${host}:${port || '5432'}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
