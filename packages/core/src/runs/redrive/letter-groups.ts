import type { DeadLetter } from '../../dispatch/dead-letter.ts';
import { errorFingerprint } from './error-fingerprint.ts';

/** Letters that were given up for what looks like one cause. */
export interface LetterGroup {
  /** Selects them: see `redrive`. */
  readonly fingerprint: string;
  readonly subscriptionId: string;
  /** Of the last error. */
  readonly code: string;
  /** Its words without what differs from one event to the next. */
  readonly words: string;
  readonly count: number;
  /** Wall clock, milliseconds since 1970. */
  readonly firstAtMs: number;
  readonly latestAtMs: number;
  /** One of them: the latest, and why it was given up. */
  readonly sampleId: string;
  readonly reason: string;
}

/** More causes than anybody reads: further ones are not told apart. */
const GROUPS_MAX = 1_000;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Groups letters as they come. */
export class LetterGroups {
  readonly #groups = new Map<string, Writable<LetterGroup>>();
  /** Some letters are in no group. */
  isFull = false;

  add(letter: DeadLetter): void {
    const { fingerprint, code, words } = errorFingerprint(letter);
    const { id, subscriptionId, deadAtMs, reason } = letter;
    const known = this.#groups.get(fingerprint);
    if (!known) {
      if (this.#groups.size >= GROUPS_MAX) this.isFull = true;
      else {
        const times = { firstAtMs: deadAtMs, latestAtMs: deadAtMs };
        this.#groups.set(fingerprint, {
          fingerprint,
          subscriptionId,
          code,
          words,
          count: 1,
          ...times,
          sampleId: id,
          reason,
        });
      }
      return;
    }
    known.count++;
    known.firstAtMs = Math.min(known.firstAtMs, deadAtMs);
    if (deadAtMs < known.latestAtMs) return;
    known.latestAtMs = deadAtMs;
    known.sampleId = id;
    known.reason = reason;
  }

  /** The one with the latest error first. */
  all(): readonly LetterGroup[] {
    return [...this.#groups.values()].sort((a, b) => b.latestAtMs - a.latestAtMs || b.count - a.count);
  }
}
