import { foldedName, withoutDigitLetters } from './folded-name.ts';

type Endings = ReadonlyMap<string, readonly string[]>;
const KEY_CHARACTERS = 2;

/** Ends of names of what nobody should read, in small letters and without separators: `DB_PASSWORD`, `x-api-key`, `clientSecret`; also in other languages. */
const ENDINGS = endingsOf(
  `password passwd passwort pwd passphrase passcode requirepass identifiedby secret token apikey appkey accesskey
   accesskeyid secretkey privatekey privatekeyid signingkey encryptionkey masterkey sharedkey accountkey authkey sharedaccesskey
   sharedaccesssignature licensekey authorization cookie credential credentials connectionstring databaseurl redisurl
   mongourl mongodburi bearer signature totp mfacode cardnumber creditcard creditcardnumber socialsecuritynumber
   sessionid sessid seedphrase mnemonic accesscode securitycode verificationcode recoverycode backupcode pincode authcode
   onetimecode onetimepassword pswd passwrd pword passkey userpass dbpass rootpass adminpass smtppass mailpass ftppass
   keypass storepass wifipass mysqlpass pgpass redispass wpakey presharedkey privkey sshkey gpgkey pgpkey rsakey
   aeskey hmackey cryptokey cipherkey deploykey servicekey consumerkey consumersecret subscriptionkey functionskey
   functionkey hostkey webhookurl csrftoken laravelsession ghsess railssession sessioncookie databaseuri dburl
   dburi postgresurl postgresuri mysqlurl amqpurl mongouri pragmakey pragmahexkey samlresponse codeverifier
   motdepasse kennwort losungswort geheimnis zugangscode zugangsdaten anmeldedaten zugangsschlüssel apischlüssel
   geheimschlüssel clésecrète clésecrete cléprivée codesecret jeton jetondacces contraseña contrasenya clavesecreta
   claveprivada claveapi palavrapasse wachtwoord lösenord passord adgangskode salasana hasło heslo parola şifre sifre
   jelszó пароль секрет токен 密码 密碼 口令 パスワード 暗証番号 비밀번호 암호 mậtkhẩu`,
);
/** Short words that end many harmless names (`grid`, `author` ends in none): only whole, or behind a separator. */
const WHOLE = named('pass pw pin sig creds auth sid otp cvv cvc ssn dsn iban jwt psk csrf xsrf mdp clave senha');
/** Lists of them. A number beside such a name counts something: `max_tokens: 100`. */
const PLURALS = endingsOf(
  `passwords secrets tokens apikeys cookies privatekeys accesskeys recoverycodes securitycodes backupcodes passwörter
   kennwörter motsdepasse contraseñas`,
);
/** What comes behind the name of a secret, to tell it from another one of that kind: `dbPasswordProd`, `API_KEY_OLD`. */
const QUALIFIERS = new Set(
  `prod production live dev development test testing staging stage local qa uat main primary secondary backup default old new current previous next hash plain value string text neu neues alt altes nouveau ancien nuevo nueva actual`.split(
    ' ',
  ),
);
/** Words whose letters people write as digits: `passw0rd`. */
const SPELLED_WITH_DIGITS = endingsOf('password passwd passphrase secret token apikey passwort');
/** Longer names are texts. */
const CHARACTERS_MAX = 80;

const PLAIN = /^[a-z0-9]*$/;
const OTHERS = /[^\p{L}\p{N}]/gu;

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

function judge(given: string): SecretName {
  const name = foldedName(given);
  const plain = plainName(name);
  if (plain.length < 2) return undefined;
  if (WHOLE.has(plain) || WHOLE.has(lastWord(name)) || endsIn(ENDINGS, plain)) return 'one';
  const meant = withoutDigitLetters(name);
  if (meant !== undefined && endsIn(SPELLED_WITH_DIGITS, plainName(meant))) return 'one';
  return endsIn(PLURALS, plain) ? 'many' : undefined;
}

function endsIn(endings: Endings, plain: string): boolean {
  return endings.get(plain.slice(-KEY_CHARACTERS))?.some((ending) => plain.endsWith(ending)) ?? false;
}

/** By their last characters, so that nearly every name is none of them after one look. */
function endingsOf(words: string): Endings {
  const endings = new Map<string, string[]>();
  for (const ending of named(words)) {
    const key = ending.slice(-KEY_CHARACTERS);
    endings.set(key, [...(endings.get(key) ?? []), ending]);
  }
  return endings;
}

/** As names are looked up: without marks, spaces and the letters of other scripts that look like ours. */
function named(words: string): ReadonlySet<string> {
  return new Set(
    words
      .trim()
      .split(/\s+/)
      .map((word) => foldedName(word)),
  );
}

function withoutQualifier(name: string): string {
  const last = lastWord(name);
  return last.length < name.length && QUALIFIERS.has(last) ? name.slice(0, -last.length) : '';
}

/** Letters and digits, small. A digit at the end counts several of them: `password2`. */
function plainName(name: string): string {
  const small = name.toLowerCase();
  const plain = PLAIN.test(small) ? small : small.replace(OTHERS, '');
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
