/** What stands between a name and its value, also as other scripts write it. */
export const SIGNS = '=:：＝﹕﹦꞉∶';

/** Ways to authenticate: what follows is the secret. */
const SCHEMES = new Set([
  'bearer',
  'basic',
  'digest',
  'token',
  'apikey',
  'negotiate',
  'ntlm',
  'aws4-hmac-sha256',
  'hawk',
]);
/** Values that have spaces in them: they end with the line. */
const TO_LINE_END =
  /(?:authorization|cookie|passphrase|mnemonic|seedphrase|connectionstring|connection string|seed phrase|codes|keys)$/i;

export function isScheme(word: string): boolean {
  return SCHEMES.has(word.toLowerCase());
}

/** Whether the value behind this name goes on up to the end of its line. */
export function goesToLineEnd(name: string): boolean {
  return TO_LINE_END.test(name);
}
