const EMAIL = '[email]';
const LOCAL_CHARACTERS_MAX = 64;
const ACCOUNT_CHARACTERS_MAX = 512;
const DOMAIN_CHARACTERS_MAX = 253;
const IPV4 = /^(?:\d{1,3}\.){3}\d{1,3}$/;
const LAST_LABEL = /^\p{L}{2,24}$/u;

/** Replaces addresses of mail, and accounts with a password before a host: what stands around each `@` of a piece without spaces. */
export function withoutAddresses(word: string, replacement: string): string {
  let result = '';
  let taken = 0;
  for (let sign = nextSign(word, 0); sign !== undefined; sign = nextSign(word, sign.end)) {
    const domain = domainAt(word, sign.end);
    const account = accountStart(word, taken, sign.at);
    const local = localStart(word, taken, sign.at);
    if (account !== undefined && domain.end > sign.end) {
      result += `${word.slice(taken, account)}${replacement}@`;
      taken = sign.end;
    } else if (domain.isMail && local < sign.at) {
      result += word.slice(taken, local) + EMAIL;
      taken = domain.end;
    }
  }
  return taken === 0 ? word : result + word.slice(taken);
}

const BRACKETED = /@\[(?:IPv6:)?[0-9a-f.:]{3,45}\]/iy;
const ACCOUNT = /[\p{L}\p{N}._+'~-]/u;

/** Behind the sign, what makes a name one of this network: `alice@laptop:/srv`, `alice@laptop:~$`. */
const NEAR_HOST = /@[\w-]{1,63}:(?=[~/])/y;

/** Addresses that are more than one word: `"ann b"@example.com`, `ann@[192.0.2.1]`; and accounts at hosts without a domain. */
export function withoutAddressesOfWords(text: string): string {
  let result = text.includes('@') ? withoutNearAccounts(text) : text;
  if (result.includes('"@')) result = result.replace(/"[^"\r\n]{1,64}"@\p{L}[\p{L}\p{N}.-]{0,252}/gu, EMAIL);
  return result.includes('@[') ? withoutBracketed(result) : result;
}

/** One look at each `@[`, since an expression would begin at every letter before it. */
function withoutBracketed(text: string): string {
  let result = '';
  let taken = 0;
  for (let sign = text.indexOf('@['); sign >= 0; sign = text.indexOf('@[', sign + 1)) {
    BRACKETED.lastIndex = sign;
    const host = BRACKETED.exec(text)?.[0];
    let start = sign;
    while (start > taken && sign - start < LOCAL_CHARACTERS_MAX && ACCOUNT.test(text[start - 1]!)) start--;
    if (host === undefined || start === sign) continue;
    result += text.slice(taken, start) + EMAIL;
    taken = sign + host.length;
  }
  return taken === 0 ? text : result + text.slice(taken);
}

function withoutNearAccounts(text: string): string {
  let result = '';
  let taken = 0;
  for (let sign = text.indexOf('@'); sign >= 0; sign = text.indexOf('@', sign + 1)) {
    NEAR_HOST.lastIndex = sign;
    if (!NEAR_HOST.test(text)) continue;
    const start = localStart(text, taken, sign);
    // A password, or the name of a package.
    if (start === sign || ':/@'.includes(text[start - 1] ?? ' ')) continue;
    result += text.slice(taken, start) + EMAIL;
    taken = sign;
  }
  return taken === 0 ? text : result + text.slice(taken);
}

/** `@`, and how URLs write it. */
function nextSign(word: string, from: number): { at: number; end: number } | undefined {
  for (let at = from; at < word.length; at++) {
    if (word[at] === '@' || word[at] === '＠' || word[at] === '﹫') return { at, end: at + 1 };
    if (word[at] === '%' && word.startsWith('40', at + 1)) return { at, end: at + 3 };
  }
  return undefined;
}

/** Where `user:password` before the sign begins. */
function accountStart(word: string, taken: number, sign: number): number | undefined {
  const from = Math.max(taken, sign - ACCOUNT_CHARACTERS_MAX);
  const before = word.slice(from, sign);
  const colon = before.indexOf(':');
  const isAccount =
    colon >= 0 && colon < before.length - 1 && !before.includes('/') && before.slice(0, colon) !== 'mailto';
  return isAccount ? from : undefined;
}

function localStart(word: string, from: number, sign: number): number {
  let start = sign;
  while (start > from && sign - start < LOCAL_CHARACTERS_MAX && /[\p{L}\p{N}._+'~-]/u.test(word[start - 1]!)) start--;
  return start;
}

function domainAt(word: string, from: number): { end: number; isMail: boolean } {
  let end = from;
  while (end < word.length && end - from < DOMAIN_CHARACTERS_MAX && /[\p{L}\p{N}.．。-]/u.test(word[end]!)) end++;
  while (end > from && (word[end - 1] === '.' || word[end - 1] === '-')) end--;
  const domain = word.slice(from, end);
  const dot = Math.max(domain.lastIndexOf('.'), domain.lastIndexOf('．'), domain.lastIndexOf('。'));
  const isMail =
    domain.toLowerCase() === 'localhost' || (dot > 0 && (LAST_LABEL.test(domain.slice(dot + 1)) || IPV4.test(domain)));
  return { end, isMail };
}
