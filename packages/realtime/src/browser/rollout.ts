import { createHash } from 'node:crypto';
import { DEFAULT_LIMITS, matchesPattern, parsePattern, refuseUnknownOptions } from '@event-manager/core';

/** Who gets the new form of events while both are in use. */
export interface RolloutOptions {
  /** Of the pages, from 0 to 1. Default: 1. */
  readonly share?: number | undefined;
  /** Patterns over event types; the others keep the legacy form for everybody. Default: all. */
  readonly eventTypes?: readonly string[] | undefined;
  /** Another text draws other pages. */
  readonly salt?: string | undefined;
}

/** The two forms in which a page may get an event. */
export type PageForm = 'event' | 'legacy';

const HASHES = 2 ** 32;
const OPTIONS = ['share', 'eventTypes', 'salt'] satisfies (keyof RolloutOptions)[];

/**
 * Which page gets which form. A page that names itself is drawn by that name, and so stays where it is over reloads and
 * restarts; a larger share only adds pages to those that had the new form before.
 */
export class Rollout {
  readonly #share: number;
  readonly #salt: string;
  readonly #isTypeIn: (type: string) => boolean;

  constructor(options: RolloutOptions = {}) {
    refuseUnknownOptions(options, OPTIONS, 'bridge.rollout');
    const { share = 1, eventTypes, salt = '' } = options;
    if (!(share >= 0 && share <= 1)) throw new TypeError(`The share of a roll-out is from 0 to 1, not ${share}.`);
    this.#share = share;
    this.#salt = salt;
    const patterns = eventTypes?.map((type) => parsePattern(type, DEFAULT_LIMITS));
    this.#isTypeIn = patterns ? (type) => patterns.some((pattern) => matchesPattern(pattern, type)) : () => true;
  }

  /** True when the page is in the share. */
  draws(page: string): boolean {
    const hash = createHash('sha256').update(`${this.#salt}\n${page}`).digest().readUInt32BE(0);
    return hash / HASHES < this.#share;
  }

  formOf(type: string, isDrawn: boolean): PageForm {
    return isDrawn && this.#isTypeIn(type) ? 'event' : 'legacy';
  }
}
