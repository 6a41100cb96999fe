import type { DeadLetter } from '../../dispatch/dead-letter.ts';
import { foreignEventId } from '../../event/foreign-event-id.ts';

/** The error that a letter was given up for, without what differs from one event to the next. */
export interface ErrorFingerprint {
  /** UUID; the same subscription, code and words always have the same one. */
  readonly fingerprint: string;
  readonly code: string;
  /** The words with `…` for what was replaced. */
  readonly words: string;
}

const NO_CODE = 'unknown';
const WORDS_CHARACTERS_MAX = 200;
/** What tells one event from another: quoted text, and words that hold a digit (numbers, UUIDs, digests, `order-1234`). */
const QUOTES: ReadonlySet<string> = new Set(['"', "'", '`']);
const WORD = /[\w.-]+/g;
const DIGIT = /\d/;
/** The status of an HTTP answer, perhaps at the end of a sentence, says what kind of error it is, and stays. */
const STATUS = /^[1-5]\d\d\.?$/;
const BEFORE_STATUS: ReadonlySet<string> = new Set(['status', 'http']);

/** What errors of one cause have in common: the subscription, the code, and the words without numbers, ids and quoted text. */
export function errorFingerprint({ subscriptionId, errors, reason }: DeadLetter): ErrorFingerprint {
  const last = errors.at(-1);
  const code = last?.code ?? NO_CODE;
  const words = plainWords(last?.message ?? reason);
  return { fingerprint: foreignEventId('event-manager/error', `${subscriptionId}\n${code}\n${words}`), code, words };
}

function plainWords(message: string): string {
  let before = '';
  const plain = withoutQuoted(message).replace(WORD, (word) => {
    const isStatus = STATUS.test(word) && BEFORE_STATUS.has(before);
    before = word.toLowerCase();
    return isStatus || !DIGIT.test(word) ? word : '…';
  });
  return plain.slice(0, WORDS_CHARACTERS_MAX);
}

function withoutQuoted(text: string): string {
  let plain = '';
  for (let at = 0; at < text.length; at++) {
    const end = QUOTES.has(text[at]!) ? text.indexOf(text[at]!, at + 1) : -1;
    plain += end < 0 ? text[at] : '…';
    if (end >= 0) at = end;
  }
  return plain;
}
