/**
 * Takes what nobody should read out of a text that people wrote: error texts, stacks, lines of other programs.
 *
 * Read once, from left to right, in words. What a word is depends on what stood before it: behind `password:` everything is a
 * secret, behind `password` alone what looks drawn by chance is. Each word is then judged by itself: URLs, assignments, addresses,
 * tokens. A secret is rather taken out once too often: who looks for an error finds the name of what was there. The work grows
 * with the length of the text and nothing else; no expression here goes back over what it read.
 */
import { withoutBankAccounts } from './bank-accounts.ts';
import { cut } from './capture.ts';
import { withoutCardNumbers } from './card-numbers.ts';
import { rewriteJson, rewriteQuoted } from './json-in-text.ts';
import { looksGenerated } from './looks-secret.ts';
import { normalizePaths } from './normalize-paths.ts';
import { sanitizeValue } from './sanitize-value.ts';
import { sanitizeWord } from './sanitize-word.ts';
import { secretName, secretPhrase } from './secret-names.ts';
import { withoutAddressesOfWords } from './without-addresses.ts';

export const REDACTED = '[redacted]';

/** Names of events, components and files: most texts are this, and nothing of them can be a secret. */
const PLAIN = /^[A-Za-z][a-z_-]{0,14}(\.[a-z_-]{1,14}){0,4}$/;
const QUOTES = '"\'`';
const BREAKS = ' \t\r\n"\'`()[]{}<>,;|';
/** What stands between a name and its value, also in texts that were put into quotes again and again. */
const SIGN = /^([:=]{1,2}|[:=-]>|:=)?\\{0,32}$/;
const GLUE = new Set([
  'is',
  'was',
  'of',
  'set',
  'to',
  'be',
  'equals',
  'value',
  'header',
  'with',
  'and',
  'for',
  'provided',
  'given',
]);
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
  /(authorization|cookie|passphrase|mnemonic|seedphrase|connectionstring|connection string|seed phrase)$/i;
const QUOTED_CHARACTERS_MIN = 4;
const ENDS_WITH_SIGN = /[:=]\\{0,32}$/;
const PEM = '-----BEGIN ';
const PEM_END = '-----END ';

/** Flags behind which stands `name:password`. */
const ACCOUNT_FLAGS = new Set(['-u', '--user', '--proxy-user', '-U']);
/** Programs that take a password directly behind a flag: `mysql -phunter22`. */
const FLAG_PASSWORD_PROGRAM = /(?:^|\/)(?:mysql|mariadb|sshpass)[a-z_-]{0,20}$/;
const FLAG_PASSWORD = /^-p./;
/** What says whose secret it is: `password for user bob: hunter22`. */
const OWNED = new Set(['for', 'of']);
const OWNER_WORDS_MAX = 3;
/** How YAML begins a text over several lines. */
const BLOCK_MARK = /^[+-]$/;

/**
 * `named`: a secret was named; `paired`: in the line before, so that `value:` may follow. `assigned`: its value comes next; `listed`: or a
 * count. `scheme`: a way to authenticate was named; `account`: a flag for a name and its password; `owned`: a secret and whose it is.
 */
type Expectation = 'nothing' | 'named' | 'paired' | 'assigned' | 'listed' | 'scheme' | 'account' | 'owned';

export function sanitizeText(given: string): string {
  if (PLAIN.test(given) && secretName(given) === undefined) return given;
  const readable = rewriteQuoted(rewriteJson(plainCharacters(cut(given)), sanitizeValue), sanitizeValue);
  const numberless = withoutBankAccounts(withoutCardNumbers(withoutKeys(readable), REDACTED), REDACTED);
  return new TextSanitizer(normalizePaths(withoutAddressesOfWords(numberless))).run();
}

class TextSanitizer {
  readonly #text: string;
  #at = 0;
  #result = '';
  #expects: Expectation = 'nothing';
  #before = '';
  #ownerWordsLeft = 0;
  #takesFlagPassword = false;

  constructor(text: string) {
    this.#text = text;
  }

  run(): string {
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at]!;
      if (this.#text.startsWith(REDACTED, this.#at)) this.#takeRedacted();
      else if (QUOTES.includes(character)) this.#quote(character);
      else if (BREAKS.includes(character)) this.#break(character);
      else this.#word();
    }
    return this.#result;
  }

  /** The end of a quoted name, or the beginning of a quoted value. */
  #quote(quote: string): void {
    const start = this.#at + 1;
    const isValue = this.#isAssigned || (this.#expects === 'named' && this.#isApart());
    if (!isValue) {
      this.#copy(1);
      return;
    }
    const isEscaped = this.#text[this.#at - 1] === '\\';
    let end = start;
    while (end < this.#text.length && this.#text[end] !== quote) end += this.#text[end] === '\\' && !isEscaped ? 2 : 1;
    const isShort = this.#expects === 'named' && end - start < QUOTED_CHARACTERS_MIN;
    // In quotes behind `for` it may be the secret, or whose it is.
    this.#expects = this.#ownerWordsLeft > 0 ? 'owned' : 'nothing';
    if (isShort) {
      this.#copy(1);
      return;
    }
    this.#result += quote + REDACTED;
    this.#at = Math.min(end, this.#text.length);
    if (this.#at < this.#text.length) this.#copy(1);
  }

  get #isAssigned(): boolean {
    return this.#expects === 'assigned' || this.#expects === 'listed';
  }

  /** A quote directly behind a name closes the name. */
  #isApart(): boolean {
    return BREAKS.includes(this.#text[this.#at - 1] ?? ' ') && !QUOTES.includes(this.#text[this.#at - 1] ?? ' ');
  }

  #break(character: string): void {
    const endsLine = character === '\n' || character === '\r';
    const isEnd = endsLine || ',;|)}]'.includes(character);
    if (endsLine || ';|'.includes(character)) this.#takesFlagPassword = false;
    if (isEnd && !this.#isAssigned) {
      this.#expects = endsLine && this.#expects === 'named' ? 'paired' : 'nothing';
      this.#before = '';
    }
    this.#copy(1);
  }

  #word(): void {
    const start = this.#at;
    let end = start;
    while (end < this.#text.length && !BREAKS.includes(this.#text[end]!)) end++;
    const word = this.#text.slice(start, end);
    const isMark = SIGN.test(word) || BLOCK_MARK.test(word);
    if (this.#isAssigned && isMark) this.#take(word, end, this.#expects);
    else if (this.#isAssigned) this.#value(word, end);
    else if (this.#expects === 'scheme' && looksGenerated(bare(word))) this.#take(REDACTED, end, 'nothing');
    else if (this.#expects === 'account' && /^[^:]{1,200}:[^/]/.test(word)) this.#take(REDACTED, end, 'nothing');
    else if (this.#expects === 'paired' && /^value[:=]$/i.test(word)) this.#take(word, end, 'assigned');
    else if (this.#expects === 'named' && this.#followsName(word, end)) return;
    else if (this.#expects === 'owned') this.#ownerWord(word, end);
    else if (this.#takesFlagPassword && FLAG_PASSWORD.test(word)) this.#take(`-p${REDACTED}`, end, 'nothing');
    else this.#plainWord(word, end);
  }

  /** Up to the sign behind which the secret may stand. */
  #ownerWord(word: string, end: number): void {
    this.#plainWord(word, end);
    if (this.#expects !== 'nothing') return;
    if (ENDS_WITH_SIGN.test(word)) {
      this.#expects = 'named';
      this.#ownerWordsLeft = 0;
    } else if (--this.#ownerWordsLeft > 0) this.#expects = 'owned';
  }

  /** What stands behind `password:`. Behind a way to authenticate it is the next word. */
  #value(word: string, end: number): void {
    if (SCHEMES.has(bare(word).toLowerCase())) {
      this.#take(word, end, 'assigned');
      return;
    }
    if (this.#expects === 'listed' && /^\d{1,20}\.?$/.test(word)) {
      this.#take(word, end, 'nothing');
      return;
    }
    // A value without quotes goes on where only spaces would end it.
    let at = end;
    while (at < this.#text.length && !' \t\r\n"\'`<>'.includes(this.#text[at]!)) at++;
    const isLong = TO_LINE_END.test(this.#before);
    const line = this.#text.indexOf('\n', end);
    this.#take(REDACTED, isLong ? (line < 0 ? this.#text.length : line) : at, 'nothing');
  }

  #followsName(word: string, end: number): boolean {
    const isArrow = word === '-' && this.#text[end] === '>';
    if (SIGN.test(word) || isArrow) {
      this.#take(isArrow ? '->' : word, isArrow ? end + 1 : end, 'assigned');
      return true;
    }
    if (GLUE.has(bare(word).toLowerCase())) {
      this.#ownerWordsLeft = OWNED.has(bare(word).toLowerCase()) ? OWNER_WORDS_MAX : 0;
      this.#take(word, end, ENDS_WITH_SIGN.test(word) ? 'assigned' : 'named');
      return true;
    }
    if (!looksGenerated(bare(word)) || word.includes('://')) {
      if (this.#ownerWordsLeft === 0) return false;
      this.#ownerWord(word, end);
      return true;
    }
    this.#take(REDACTED, end, 'nothing');
    return true;
  }

  #plainWord(word: string, end: number): void {
    const { text, assigns } = sanitizeWord(word);
    const name = `${this.#before} ${bare(word)}`.trim();
    const named = secretName(bare(word)) ?? (this.#before === '' ? undefined : secretPhrase(name));
    if (FLAG_PASSWORD_PROGRAM.test(word)) this.#takesFlagPassword = true;
    const isNamed = named === 'one';
    const endsWithSign = ENDS_WITH_SIGN.test(word);
    const isFlag = word.startsWith('--');
    const isElement = this.#text[this.#at - 1] === '<' && this.#text[end] === '>' && !word.startsWith('/');
    this.#before = name.length > 60 ? bare(word) : lastTwo(name);
    if (assigns || (isNamed && (endsWithSign || isFlag || isElement))) this.#take(text, end, 'assigned');
    else if (isNamed) this.#take(text, end, 'named');
    else if (named === 'many' && endsWithSign) this.#take(text, end, 'listed');
    else if (ACCOUNT_FLAGS.has(word)) this.#take(text, end, 'account');
    else if (SCHEMES.has(word.toLowerCase())) this.#take(text, end, 'scheme');
    else this.#take(text, end, 'nothing');
    this.#ownerWordsLeft = this.#expects === 'nothing' ? this.#ownerWordsLeft : 0;
    if (this.#expects !== 'nothing') this.#closeQuote(end - word.length);
  }

  /** A name in quotes: the quote behind it opens no value. */
  #closeQuote(start: number): void {
    const quote = this.#text[start - 1] ?? '';
    if (quote !== '' && QUOTES.includes(quote) && this.#text[this.#at] === quote) this.#copy(1);
  }

  #take(text: string, end: number, expects: Expectation): void {
    this.#result += text;
    this.#at = end;
    this.#expects = expects;
  }

  /** What was taken out before. */
  #takeRedacted(): void {
    this.#take(REDACTED, this.#at + REDACTED.length, 'nothing');
  }

  #copy(characters: number): void {
    this.#result += this.#text.slice(this.#at, this.#at + characters);
    this.#at += characters;
  }
}

/** Without the signs around it. */
function bare(word: string): string {
  let start = 0;
  let end = word.length;
  while (start < end && '-.:=!?\\/$%&*#@'.includes(word[start]!)) start++;
  while (end > start && '.:=!?\\/'.includes(word[end - 1]!)) end--;
  return word.slice(start, end);
}

function lastTwo(name: string): string {
  return name.split(' ').slice(-2).join(' ');
}

/** How JSON and pages write characters that have a meaning there. Nobody reads `\\u003d`, and it may stand before a secret. */
function plainCharacters(text: string): string {
  const escaped = text.includes('\\u00') ? text.replace(/\\{1,8}u00([2-7][0-9a-f])/gi, (_, hex) => fromHex(hex)) : text;
  if (!escaped.includes('&')) return escaped;
  return escaped.replace(/&(?:quot|#34|#x22);/gi, '"').replace(/&(?:apos|#39|#x27);/gi, "'");
}

function fromHex(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

/** Keys and certificates between their lines. One that was cut off ends with the text. */
function withoutKeys(text: string): string {
  let result = '';
  let at = 0;
  for (let found = text.indexOf(PEM); found >= 0; found = text.indexOf(PEM, at)) {
    const end = text.indexOf(PEM_END, found);
    const close = end < 0 ? -1 : text.indexOf('-----', end + PEM_END.length);
    result += text.slice(at, found) + REDACTED;
    at = close < 0 ? text.length : close + 5;
  }
  return result + text.slice(at);
}
