/** Ends of names of what nobody should read, in small letters and without separators: `DB_PASSWORD`, `x-api-key`, `clientSecret`. */
const ENDINGS = [
  'password',
  'passwd',
  'passwort',
  'pwd',
  'passphrase',
  'passcode',
  'requirepass',
  'identifiedby',
  'secret',
  'token',
  'apikey',
  'appkey',
  'accesskey',
  'accesskeyid',
  'secretkey',
  'privatekey',
  'signingkey',
  'encryptionkey',
  'masterkey',
  'sharedkey',
  'accountkey',
  'authkey',
  'sharedaccesskey',
  'sharedaccesssignature',
  'licensekey',
  'authorization',
  'auth',
  'cookie',
  'credential',
  'credentials',
  'connectionstring',
  'databaseurl',
  'redisurl',
  'mongourl',
  'mongodburi',
  'dsn',
  'jwt',
  'bearer',
  'signature',
  'otp',
  'totp',
  'mfacode',
  'cvv',
  'cvc',
  'cardnumber',
  'creditcard',
  'creditcardnumber',
  'iban',
  'ssn',
  'socialsecuritynumber',
  'sessionid',
  'sessid',
  'sid',
  'seedphrase',
  'mnemonic',
];
/** Short words that end many harmless names (`grid`, `author` ends in none): only whole, or behind a separator. */
const WHOLE = new Set([
  'pass',
  'pw',
  'pin',
  'sig',
  'creds',
  'auth',
  'sid',
  'otp',
  'cvv',
  'cvc',
  'ssn',
  'dsn',
  'iban',
  'jwt',
]);
const SHORT = new Set(['auth', 'sid', 'otp', 'cvv', 'cvc', 'ssn', 'dsn', 'iban', 'jwt']);
const LONG_ENDINGS = ENDINGS.filter((ending) => !SHORT.has(ending));
/** Lists of them. A number beside such a name counts something: `max_tokens: 100`. */
const PLURALS = ['passwords', 'secrets', 'tokens', 'apikeys', 'cookies', 'privatekeys', 'accesskeys', 'recoverycodes'];
/** What comes behind the name of a secret, to tell it from another one of that kind: `dbPasswordProd`, `API_KEY_OLD`. */
const QUALIFIERS = new Set(
  'prod production live dev development test testing staging stage local qa uat main primary secondary backup default old new current previous next hash plain value string text'.split(
    ' ',
  ),
);
/** Longer names are texts. */
const CHARACTERS_MAX = 80;

/** A program has some hundreds of names for its fields; what it makes of data must not fill the memory. */
const KNOWN_MAX = 2_000;
const known = new Map<string, SecretName>();

/** `one` names a secret, `many` a list of secrets or a count of something. */
export type SecretName = 'one' | 'many' | undefined;

export function secretName(name: string): SecretName {
  if (name.length < 2 || name.length > CHARACTERS_MAX) return undefined;
  if (known.has(name)) return known.get(name);
  const judged = judge(name) ?? judge(withoutQualifier(name));
  if (known.size < KNOWN_MAX) known.set(name, judged);
  return judged;
}

/** The same of words that stand together in a text, of which there is no end. */
export function secretPhrase(phrase: string): SecretName {
  return phrase.length > CHARACTERS_MAX ? undefined : judge(phrase);
}

function judge(name: string): SecretName {
  const plain = plainName(name);
  if (plain.length < 2) return undefined;
  if (WHOLE.has(plain) || WHOLE.has(lastWord(name)) || LONG_ENDINGS.some((ending) => plain.endsWith(ending)))
    return 'one';
  return PLURALS.some((ending) => plain.endsWith(ending)) ? 'many' : undefined;
}

function withoutQualifier(name: string): string {
  const last = lastWord(name);
  return last.length < name.length && QUALIFIERS.has(last) ? name.slice(0, -last.length) : '';
}

/** Letters and digits, small. A digit at the end counts several of them: `password2`. */
function plainName(name: string): string {
  let plain = '';
  for (const character of name.toLowerCase()) if (/[\p{L}\p{N}]/u.test(character)) plain += character;
  let end = plain.length;
  while (end > 0 && plain.charCodeAt(end - 1) >= 0x30 && plain.charCodeAt(end - 1) <= 0x39) end--;
  return plain.slice(0, end);
}

/** `x-auth` and `userPin` end in a word of their own. */
function lastWord(name: string): string {
  let at = name.length - 1;
  while (at > 0 && isLetter(name, at) && !(isCapital(name, at) && !isCapital(name, at - 1))) at--;
  return name.slice(isLetter(name, at) ? at : at + 1).toLowerCase();
}

function isLetter(text: string, at: number): boolean {
  const code = text.charCodeAt(at) | 0x20;
  return code >= 0x61 && code <= 0x7a;
}

function isCapital(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x41 && code <= 0x5a;
}
