import { type SplitAddress, splitAddress } from '../configuration/split-address.ts';

const SCHEMES: ReadonlySet<string> = new Set(['postgres', 'postgresql']);
const PORT = '5432';
const REDIS_PORT = '6379';

export function isDatabaseAddress(text: string): boolean {
  return (
    split(text)
      ?.hosts.split(',')
      .every((host) => URL.canParse(`postgresql://${host}`)) === true
  );
}

/** Where a database is, for people: never the user or the password that its address holds. */
export function databasePlace(address: string): string {
  const { hosts = '', path: name = '', parameters } = split(address) ?? {};
  const places = (hosts || new URLSearchParams(parameters).get('host') || 'localhost')
    .split(',')
    .map((host) => withPort(host, PORT));
  return `${name === '' ? 'the default database' : `database ${decoded(name)}`} on ${places.join(' or ')}`;
}

/** The same of a Redis. */
export function redisPlace(address: string): string {
  const { hosts = '', path = '' } = splitAddress(address) ?? {};
  return `database ${path === '' ? 0 : path} on ${withPort(hosts || 'localhost', REDIS_PORT)}`;
}

function split(text: string): SplitAddress | undefined {
  const address = splitAddress(text);
  return address && SCHEMES.has(address.scheme) ? address : undefined;
}

function withPort(host: string, port: string): string {
  const behindColon = host.slice(host.lastIndexOf(':') + 1);
  return behindColon !== host && /^\d+$/.test(behindColon) ? host : `${host}:${port}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
