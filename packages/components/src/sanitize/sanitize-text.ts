/**
 * Takes what nobody should read out of a text that people wrote: error texts, stacks, lines of other programs.
 *
 * Read once, from left to right, in words. What a word is depends on what stood before it: behind `password:` everything is a
 * secret, behind `password` alone what looks drawn by chance is. Each word is then judged by itself: URLs, assignments, addresses,
 * tokens. A secret is rather taken out once too often: who looks for an error finds the name of what was there. The work grows
 * with the length of the text and nothing else; no expression here goes back over what it read.
 */
import { cut } from './capture.ts';
import { withoutCardNumbers } from './card-numbers.ts';
import { rewriteJson } from './json-in-text.ts';
import { looksGenerated } from './looks-secret.ts';
import { normalizePaths } from './normalize-paths.ts';
import { sanitizeValue } from './sanitize-value.ts';
import { sanitizeWord } from './sanitize-word.ts';
import { secretName } from './secret-names.ts';

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
const PEM = '-----BEGIN ';
const PEM_END = '-----END ';

/** `named`: a secret was named. `assigned`: its value comes next. `scheme`: a way to authenticate was named. */
type Expectation = 'nothing' | 'named' | 'assigned' | 'scheme';

export function sanitizeText(given: string): string {
  if (PLAIN.test(given) && secretName(given) === undefined) return given;
  const readable = rewriteJson(cut(given), sanitizeValue);
  const text = withoutCardNumbers(withoutKeys(readable), REDACTED);
  return new TextSanitizer(normalizePaths(text)).run();
}

class TextSanitizer {
  readonly #text: string;
  #at = 0;
  #result = '';
  #expects: Expectation = 'nothing';
  #before = '';

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
    const isValue = this.#expects === 'assigned' || (this.#expects === 'named' && this.#isApart());
    if (!isValue) {
      this.#copy(1);
      return;
    }
    const isEscaped = this.#text[this.#at - 1] === '\\';
    let end = start;
    while (end < this.#text.length && this.#text[end] !== quote) end += this.#text[end] === '\\' && !isEscaped ? 2 : 1;
    const isShort = this.#expects === 'named' && end - start < QUOTED_CHARACTERS_MIN;
    this.#expects = 'nothing';
    if (isShort) {
      this.#copy(1);
      return;
    }
    this.#result += quote + REDACTED;
    this.#at = Math.min(end, this.#text.length);
    if (this.#at < this.#text.length) this.#copy(1);
  }

  /** A quote directly behind a name closes the name. */
  #isApart(): boolean {
    return BREAKS.includes(this.#text[this.#at - 1] ?? ' ') && !QUOTES.includes(this.#text[this.#at - 1] ?? ' ');
  }

  #break(character: string): void {
    const endsLine = character === '\n' || character === '\r';
    const endsClause = ',;|)}]'.includes(character) && this.#expects !== 'assigned';
    if ((endsLine && this.#expects !== 'assigned') || endsClause) {
      this.#expects = 'nothing';
      this.#before = '';
    }
    this.#copy(1);
  }

  #word(): void {
    const start = this.#at;
    let end = start;
    while (end < this.#text.length && !BREAKS.includes(this.#text[end]!)) end++;
    const word = this.#text.slice(start, end);
    if (this.#expects === 'assigned' && !SIGN.test(word)) this.#value(word, end);
    else if (this.#expects === 'scheme' && looksGenerated(bare(word))) this.#take(REDACTED, end, 'nothing');
    else if (this.#expects === 'named' && this.#followsName(word, end)) return;
    else this.#plainWord(word, end);
  }

  /** What stands behind `password:`. Behind a way to authenticate it is the next word. */
  #value(word: string, end: number): void {
    if (SCHEMES.has(bare(word).toLowerCase())) {
      this.#take(word, end, 'assigned');
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
    if (SIGN.test(word)) {
      this.#take(word, end, 'assigned');
      return true;
    }
    if (GLUE.has(word.toLowerCase())) {
      this.#take(word, end, 'named');
      return true;
    }
    if (!looksGenerated(bare(word)) || word.includes('://')) return false;
    this.#take(REDACTED, end, 'nothing');
    return true;
  }

  #plainWord(word: string, end: number): void {
    const { text, assigns } = sanitizeWord(word);
    const name = `${this.#before} ${bare(word)}`.trim();
    const isNamed = secretName(bare(word)) === 'one' || (this.#before !== '' && secretName(name) === 'one');
    const isFlag = word.startsWith('--') && isNamed;
    const endsWithSign = /[:=]\\{0,32}$/.test(word);
    this.#before = name.length > 60 ? bare(word) : lastTwo(name);
    if (assigns || (isNamed && (endsWithSign || isFlag))) this.#take(text, end, 'assigned');
    else if (isNamed) this.#take(text, end, 'named');
    else if (SCHEMES.has(word.toLowerCase())) this.#take(text, end, 'scheme');
    else this.#take(text, end, 'nothing');
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
