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
/**
 * What tells one event from another: quoted text, and words that hold a digit (numbers, UUIDs, digests, `order-1234`). The status
 * of an HTTP answer says what kind of error it is, and stays.
 */
const STATUS = String.raw`\b(?:status|http)\W{1,3}[1-5]\d\d\b`;
const DIFFERING = new RegExp(String.raw`(${STATUS})|"[^"]*"|'[^']*'|\`[^\`]*\`|[\w.-]*\d[\w.-]*`, 'gi');

/** What errors of one cause have in common: the subscription, the code, and the words without numbers, ids and quoted text. */
export function errorFingerprint({ subscriptionId, errors, reason }: DeadLetter): ErrorFingerprint {
  const last = errors.at(-1);
  const code = last?.code ?? NO_CODE;
  const words = plainWords(last?.message ?? reason);
  return { fingerprint: foreignEventId('event-manager/error', `${subscriptionId}\n${code}\n${words}`), code, words };
}

function plainWords(message: string): string {
  return message
    .replace(DIFFERING, (found, status?: string) => (status === undefined ? '…' : found))
    .slice(0, WORDS_CHARACTERS_MAX);
}
