/**
 * Reads a text once, from left to right, in words. What a word is depends on what stood before it: behind `password:` everything is a
 * secret, behind `password` alone what looks drawn by chance is. Each word is then judged by itself: URLs, assignments, addresses,
 * tokens. The work grows with the length of the text and nothing else; no expression here goes back over what it read.
 */
import { LineContext } from './line-context.ts';
import { looksGenerated } from './looks-secret.ts';
import { goesToLineEnd, isScheme, SIGNS } from './named-values.ts';
import { REDACTED } from './redacted.ts';
import { sanitizeWord } from './sanitize-word.ts';
import { secretName, secretPhrase } from './secret-names.ts';
import {
  BREAKS,
  bare,
  ENDS_WITH_SIGN,
  LEADING_SIGN,
  QUOTE_ENDS,
  QUOTES,
  SIGN,
  SPACES,
  VALUE_ENDS,
} from './text-signs.ts';

/** Words between a name and its value. */
const GLUE = new Set(
  'is was of set to be equals value header with and for provided given lautet ist est es è é är er'.split(' '),
);
const QUOTED_CHARACTERS_MIN = 4;
const REMARK_CHARACTERS_MAX = 30;
/** Flags behind which stands `name:password`. */
const ACCOUNT_FLAGS = new Set(['-u', '--user', '--proxy-user', '-U']);
/** What says whose secret it is: `password for user bob: hunter22`. */
const OWNED = new Set(['for', 'of']);
const OWNER_WORDS_MAX = 3;
const FLAG_PASSWORD = /^-p./;
/** `;user=`, `,"a":`, `; Path` */
const NEXT_NAME = /^[\w.$-]{1,80}[=:：＝]|^[A-Z][A-Za-z-]{3,20}$/;
const REMOTE = /^[\w.-]{1,64}@[\w.-]{1,253}(?::|$)/;
/** `bob:hunter22`, `bob%hunter22`, `scott/tiger@db`. */
const ACCOUNT = /^[^:%/]{1,200}(?::[^/]|%.|\/[^@]{1,200}@)/;
/** How YAML begins a text over several lines. */
const BLOCK_MARK = /^[+-]$/;

/**
 * `named`: a secret was named; `paired`: in the line before, so that `value:` may follow. `assigned`: its value comes next; `listed`: or a
 * count. `scheme`: a way to authenticate was named; `account`: a flag for a name and its password; `owned`: a secret and whose it is.
 */
type Expectation = 'nothing' | 'named' | 'paired' | 'assigned' | 'listed' | 'scheme' | 'account' | 'owned';

export class TextSanitizer {
  readonly #text: string;
  #at = 0;
  #result = '';
  #expects: Expectation = 'nothing';
  #before = '';
  #ownerWordsLeft = 0;
  readonly #line = new LineContext();
  /** Every text in quotes up to here is one: `auth("bob", "…")`, `INSERT INTO users (…, password) VALUES (…)`. */
  #quotedUntil = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): string {
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at]!;
      if (this.#text.startsWith(REDACTED, this.#at)) this.#takeRedacted();
      else if (QUOTES.includes(character)) this.#quote(character);
      else if (QUOTE_ENDS.has(character) && this.#opensValue()) this.#foreignQuote(QUOTE_ENDS.get(character)!);
      else if (BREAKS.includes(character)) this.#break(character);
      else this.#word();
    }
    return this.#result;
  }

  /** The end of a quoted name, or the beginning of a quoted value. */
  #quote(quote: string): void {
    const start = this.#at + 1;
    const isValue = this.#opensValue() || this.#at < this.#quotedUntil;
    if (!isValue) {
      this.#copy(1);
      return;
    }
    const isEscaped = this.#text[this.#at - 1] === '\\';
    let end = start;
    while (end < this.#text.length && this.#text[end] !== quote) end += this.#text[end] === '\\' && !isEscaped ? 2 : 1;
    const isShort = this.#expects === 'named' && end - start < QUOTED_CHARACTERS_MIN && start > this.#quotedUntil;
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

  /** The same for quotes that look different at their end. Spaces inside belong to them. */
  #foreignQuote(ends: string): void {
    let end = this.#at + 1;
    while (end < this.#text.length && !ends.includes(this.#text[end]!)) end++;
    this.#copy(1);
    this.#take(REDACTED, end, 'nothing');
  }

  #opensValue(): boolean {
    return this.#isAssigned || (this.#expects === 'named' && this.#isApart());
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
    const isEnd = endsLine || (',;|)}]'.includes(character) && !this.#goesOnBehind());
    if (endsLine || ';|'.includes(character)) this.#line.end();
    if (character === '(' || character === '[') this.#open(character === '(' ? ')' : ']');
    if (isEnd && !this.#isAssigned) {
      this.#expects = endsLine && this.#expects === 'named' ? 'paired' : 'nothing';
      this.#before = '';
    }
    this.#copy(1);
  }

  /** `auth("bob", "…")`, `auth: ["bob", "…"]`: every text in quotes is one. `Passwort (neu): …`: the value comes behind. */
  #open(closing: string): void {
    const isCall = this.#expects === 'named' && this.#before !== '' && closing === ')';
    if (!isCall && !this.#isAssigned) return;
    const close = this.#text.indexOf(closing, this.#at);
    const end = close < 0 ? this.#text.length : close;
    if (this.#isAssigned || !this.#isBehindSpace()) this.#quotedUntil = end;
    else if (end - this.#at <= REMARK_CHARACTERS_MAX && SIGNS.includes(this.#text[end + 1] ?? ' ')) {
      this.#result += `(${REDACTED}`;
      this.#at = end;
    }
  }

  /** `user[password]=…`, `password|…`: what follows at once belongs to the name. */
  #goesOnBehind(): boolean {
    const next = this.#text[this.#at + 1] ?? ' ';
    return ')]'.includes(this.#text[this.#at]!)
      ? SIGNS.includes(next)
      : ';|'.includes(this.#text[this.#at]!) && !BREAKS.includes(next);
  }

  #isBehindSpace(): boolean {
    return SPACES.includes(this.#text[this.#at - 1] ?? ' ');
  }

  #wordEnd(from: number): number {
    let end = from;
    while (end < this.#text.length && !BREAKS.includes(this.#text[end]!)) end++;
    return end;
  }

  #word(): void {
    const start = this.#at;
    const end = this.#wordEnd(start);
    const word = this.#text.slice(start, end);
    const isMark = SIGN.test(word) || BLOCK_MARK.test(word);
    if (this.#isAssigned && isMark) this.#take(word, end, this.#expects);
    else if (this.#isAssigned) this.#value(word, end);
    else if (this.#expects === 'scheme' && looksGenerated(bare(word))) this.#take(REDACTED, end, 'nothing');
    else if (this.#expects === 'account' && ACCOUNT.test(word)) this.#take(REDACTED, end, 'nothing');
    else if (this.#expects === 'paired' && /^value[:=]$/i.test(word)) this.#take(word, end, 'assigned');
    else if (this.#expects === 'named' && this.#followsName(word, end)) return;
    else if (this.#expects === 'owned') this.#ownerWord(word, end);
    else if (this.#line.flags.isJoined && FLAG_PASSWORD.test(word)) this.#take(`-p${REDACTED}`, end, 'nothing');
    else if (this.#line.flags.separate?.includes(word)) this.#take(word, end, 'assigned');
    else if (this.#line.flags.isRemote && REMOTE.test(word))
      this.#take(`[email]${word.slice(word.indexOf('@'))}`, end, 'nothing');
    else this.#plainWord(word, end);
  }

  /** Up to the sign behind which the secret may stand. */
  #ownerWord(word: string, end: number): void {
    this.#plainWord(word, end);
    if (this.#expects !== 'nothing') return;
    if (ENDS_WITH_SIGN.test(word)) {
      this.#expects = 'named';
      this.#ownerWordsLeft = 0;
    } else if (bare(word) === '' || --this.#ownerWordsLeft > 0) this.#expects = 'owned';
  }

  /** What stands behind `password:`. Behind a way to authenticate it is the next word. */
  #value(word: string, end: number): void {
    if (isScheme(bare(word))) {
      this.#take(word, end, 'assigned');
      return;
    }
    if (this.#expects === 'listed' && /^\d{1,20}\.?$/.test(word)) {
      this.#take(word, end, 'nothing');
      return;
    }
    // A value without quotes goes on where only spaces would end it.
    let at = end;
    while (at < this.#text.length && !VALUE_ENDS.includes(this.#text[at]!)) at++;
    // `creds: bob / hunter22`
    if (this.#text.startsWith(' / ', at)) at = this.#wordEnd(at + 3);
    this.#take(REDACTED, goesToLineEnd(this.#before) ? this.#lineEnd(end) : at, 'nothing');
  }

  #lineEnd(from: number): number {
    const end = this.#text.indexOf('\n', from);
    return end < 0 ? this.#text.length : end;
  }

  #followsName(word: string, end: number): boolean {
    const isArrow = word === '-' && this.#text[end] === '>';
    const sign = LEADING_SIGN.exec(word)?.[0];
    if (sign !== undefined) {
      this.#take(sign, end - word.length + sign.length, 'assigned');
      return true;
    }
    if (isScheme(bare(word)) && /authorization$/i.test(this.#before)) {
      this.#take(word, end, 'assigned');
      return true;
    }
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
    const { text, assigns, goesOn = false, endsInSecret = false } = sanitizeWord(word);
    const name = `${this.#before} ${bare(word)}`.trim();
    const named = secretName(bare(word)) ?? (this.#before === '' ? undefined : secretPhrase(name));
    if (this.#line.hear(word, named)) this.#quotedUntil = this.#lineEnd(end);
    const isNamed = named === 'one';
    const endsWithSign = ENDS_WITH_SIGN.test(word);
    const isFlag = word.startsWith('--');
    const isElement = this.#text[this.#at - 1] === '<' && this.#text[end] === '>' && !word.startsWith('/');
    this.#before = name.length > 60 ? bare(word) : lastTwo(name);
    if (goesOn) this.#take(text, this.#valueEnd(end - word.length, end), 'nothing');
    else if (endsInSecret) this.#take(text, this.#restEnd(end), 'nothing');
    else if (assigns || (isNamed && (endsWithSign || isFlag || isElement))) this.#take(text, end, 'assigned');
    else if (isNamed) this.#take(text, end, 'named');
    else if (named === 'many' && endsWithSign) this.#take(text, end, 'listed');
    else if (ACCOUNT_FLAGS.has(word) || this.#line.flags.isAccount) this.#take(text, end, 'account');
    else if (isScheme(word)) this.#take(text, end, 'scheme');
    else this.#take(text, end, 'nothing');
    this.#ownerWordsLeft = this.#expects === 'nothing' ? this.#ownerWordsLeft : 0;
    if (this.#expects !== 'nothing') this.#closeQuote(end - word.length);
  }

  /** Up to the end of the line, or of the quotes around the word. */
  #valueEnd(start: number, from: number): number {
    const quote = this.#text[start - 1] ?? '';
    const end = quote !== '' && QUOTES.includes(quote) ? this.#text.indexOf(quote, from) : -1;
    return end < 0 ? this.#lineEnd(from) : end;
  }

  /** A value without quotes may have a comma in it; what follows one is another name with its value, or more of this one. */
  #restEnd(from: number): number {
    let at = from;
    while (',;|'.includes(this.#text[at] ?? ' ')) {
      const end = this.#wordEnd(at + 1);
      if (end === at + 1 || NEXT_NAME.test(this.#text.slice(at + 1, end))) break;
      at = end;
    }
    return at;
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

function lastTwo(name: string): string {
  const last = name.lastIndexOf(' ');
  return last < 0 ? name : name.slice(name.lastIndexOf(' ', last - 1) + 1);
}
