import { looksSecret } from './looks-secret.ts';
import { goesToLineEnd, isScheme, SIGNS } from './named-values.ts';
import { shortened } from './normalize-paths.ts';
import { REDACTED } from './redacted.ts';
import { secretName } from './secret-names.ts';
import { withoutAddresses } from './without-addresses.ts';
import { withoutHookSecrets } from './without-hook-secrets.ts';

/** Addresses of databases and queues say how to get in, also where the password is not in its place. */
const CONNECTIONS =
  /^(jdbc:[a-z0-9]{1,20}|postgres|postgresql|mysql|mariadb|mssql|sqlserver|oracle|mongodb|mongodb\+srv|redis|rediss|valkey|amqp|amqps|mqtt|mqtts|nats|kafka|ldap|ldaps|ftp|ftps|sftp|smtp|smtps|imap|imaps|clickhouse|cassandra|neo4j|bolt|couchbase|cockroachdb|snowflake|sqlite|libsql|neo4j\+s{1,2}c?|bolt\+s{1,2}c?)$/i;
/** Addresses of databases that have no slashes. */
const DRIVER = /^jdbc:[a-z0-9]{1,20}:(?=[a-z0-9]{1,10}:.)/i;
/** `host:port:database:user:password`, a line of PostgreSQL's file of passwords. */
const PASSWORD_LINE = /^[^:\s]{1,253}:(?:\d{2,5}|\*):(?!\d)[^:\s]{1,64}:[^:\s]{1,64}:[^:\s]{1,200}$/;
/** A URL may have another one in it, which leads back for example. More of them are no text of people. */
const URLS_MAX = 4;
/** Names that say little elsewhere, and in the address of a service are what lets one in. */
const QUERY_SECRETS = new Set(['key', 'hash', 'hmac']);
/** What stands behind the host of other schemes may be a path of this machine. */
const WEB = /^(https?|wss?)$/i;
const WSL = /^wsl(?:\$|\.localhost)$/i;
const SEPARATORS = '=:/,&?#@!\\';

export interface SanitizedWord {
  readonly text: string;
  /** It ends where the value of a secret begins. */
  readonly assigns: boolean;
  /** The value of a secret began in it, and goes on up to the end of the line. */
  readonly goesOn?: boolean;
  /** The value of a secret is its end. */
  readonly endsInSecret?: boolean;
}

/** A piece of a text without spaces. */
export function sanitizeWord(given: string, depth = 0): SanitizedWord {
  const word = withoutHookSecrets(given, REDACTED);
  if (word.length < 3) return { text: word, assigns: false };
  const scheme = word.indexOf('://');
  const driver = DRIVER.exec(word)?.[0];
  if (driver !== undefined && scheme < 0) return { text: driver + REDACTED, assigns: false };
  if (PASSWORD_LINE.test(word))
    return { text: `${word.slice(0, word.lastIndexOf(':') + 1)}${REDACTED}`, assigns: false };
  if (scheme > 0) return { text: depth < URLS_MAX ? sanitizeUrl(word, scheme, depth) : REDACTED, assigns: false };
  const assignment = secretAssignment(word, depth > 0);
  if (assignment) return assignment;
  return { text: sanitizePieces(word), assigns: false };
}

function sanitizeUrl(word: string, scheme: number, depth: number): string {
  const start = schemeStart(word, scheme);
  const rest = word.slice(scheme + 3);
  // Nothing is left of one that was taken out before.
  if (CONNECTIONS.test(word.slice(start, scheme))) return `${word.slice(0, scheme)}://${rest === '' ? '' : REDACTED}`;
  const pathAt = endOfAuthority(rest);
  const authority = rest.slice(0, pathAt);
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const account = host.length < authority.length ? `${REDACTED}@` : '';
  // The first folder is the name of a Linux inside Windows.
  const path = WSL.test(host) ? rest.slice(pathAt).replace(/^\/[^/]{1,64}/, '') : rest.slice(pathAt);
  const folders = path.startsWith('//') ? path.slice(path.search(/[^/]/) - 1) : path;
  const { text } = sanitizeWord(WEB.test(word.slice(start, scheme)) ? path : shortened(folders), depth + 1);
  return `${sanitizePieces(word.slice(0, start))}${word.slice(start, scheme)}://${account}${sanitizePieces(host)}${text}`;
}

function schemeStart(word: string, scheme: number): number {
  let start = scheme;
  while (start > 0 && /[a-z0-9+.:-]/i.test(word[start - 1]!)) start--;
  return start;
}

function endOfAuthority(rest: string): number {
  // A password may hold any of these, so the last @ before a space ends it.
  const at = rest.lastIndexOf('@');
  const slash = rest.slice(Math.max(at, 0)).search(/[/?#]/);
  const first = rest.search(/[/?#]/);
  // An @ behind a path, as in `/users/@me`, is no end of an account: it has no colon before it.
  if (first >= 0 && first < at && !rest.slice(0, first).includes(':')) return first;
  return slash < 0 ? rest.length : slash + Math.max(at, 0);
}

/** `password=…`, `"token":…`, `a=1&secret=…`: the first name of a secret that is given a value. What follows is gone up to the next `&`. */
function secretAssignment(word: string, isOfUrl: boolean): SanitizedWord | undefined {
  let result = '';
  let at = 0;
  let found = false;
  let goesOn = false;
  for (let sign = nextSign(word, 0); sign >= 0; sign = nextSign(word, sign + 1)) {
    if (sign < at) continue;
    const signs = word.startsWith('%', sign) ? 3 : 1;
    const name = nameBefore(word, at, sign);
    if (secretName(name) !== 'one' && !(isOfUrl && QUERY_SECRETS.has(name.toLowerCase()))) continue;
    found = true;
    result += sanitizePieces(word.slice(at, sign)) + word.slice(sign, sign + signs);
    let end = word.indexOf('&', sign + signs);
    if (end < 0) end = word.length;
    if (sign + signs >= word.length) return { text: result, assigns: true };
    // `password:=x` and `token=>x` have more signs.
    let start = sign + signs;
    while (start < end && `${SIGNS}>\\`.includes(word[start]!)) result += word[start++];
    if (start === word.length) return { text: result, assigns: true };
    const value = word.slice(start, end);
    if (end === word.length && isScheme(value)) return { text: result + value, assigns: true };
    result += REDACTED;
    at = end;
    goesOn = !isOfUrl && end === word.length && goesToLineEnd(name);
  }
  const endsInSecret = found && at === word.length;
  return found ? { text: result + sanitizePieces(word.slice(at)), assigns: false, goesOn, endsInSecret } : undefined;
}

/** `=`, `:` and how URLs write them. */
function nextSign(word: string, from: number): number {
  for (let at = from; at < word.length; at++) {
    const character = word[at];
    if (SIGNS.includes(character!)) return at;
    if (character === '%' && word[at + 1] === '3' && 'AaDd'.includes(word[at + 2] ?? ' ')) return at;
  }
  return -1;
}

const NAME_CHARACTERS_MAX = 80;

function nameBefore(word: string, from: number, end: number): string {
  let start = end;
  while (start > from && end - start < NAME_CHARACTERS_MAX && /[\p{L}\p{M}\p{N}_.$@-]/u.test(word[start - 1]!)) start--;
  return word.slice(start, end);
}

/** Addresses of mail, accounts before a host, and pieces that look like tokens. */
function sanitizePieces(given: string): string {
  if (isSecretPiece(given)) return REDACTED;
  const word = withoutAddresses(given, REDACTED);
  let result = '';
  let start = 0;
  for (let end = 0; end <= word.length; end++) {
    if (end < word.length && !SEPARATORS.includes(word[end]!)) continue;
    const piece = word.slice(start, end);
    result += isSecretPiece(piece) ? REDACTED : piece;
    result += word[end] ?? '';
    start = end + 1;
  }
  return result;
}

/** Also with dots around it, as at the end of a sentence, and as URLs write it. */
function isSecretPiece(piece: string): boolean {
  if (looksSecret(piece)) return true;
  const plain = piece.replace(/^\.{1,3}/, '').replace(/\.{1,3}$/, '');
  if (plain.length < piece.length && looksSecret(plain)) return true;
  return (
    (plain.includes('%') && plain.split('%').some((part, at) => at > 0 && looksSecret(part.slice(2)))) ||
    looksSecret(decoded(plain))
  );
}

function decoded(piece: string): string {
  if (!piece.includes('%')) return '';
  return piece.replace(/%2F/gi, '/').replace(/%2B/gi, '+').replace(/%3D/gi, '=').replace(/%3A/gi, ':');
}
