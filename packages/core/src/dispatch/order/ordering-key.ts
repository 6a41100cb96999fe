import { HAS_ORDERING_KEY } from '../../event/flags.ts';
import { foreignEventId } from '../../event/foreign-event-id.ts';
import type { OrderOptions } from '../../subscription/options/order-options.ts';
import type { KeptEvent } from '../kept-event.ts';

/** Longer keys are shortened, with a digest in place of the rest: a key is kept with every debt of it. */
const KEY_CHARACTERS_MAX = 255;
const HEAD_CHARACTERS = 200;

/** Which key an event has. */
export type KeyReader = (kept: KeptEvent) => string;

/**
 * What keys mean in one definition: `topic`, `key`, or `key:` and the path. A key means nothing without it. When the order was
 * changed before, the number of changes and `|` stand before it: `2|topic` is not the `topic` of before, because events of
 * its keys were settled in between, and what still waits from then must not be taken to reach over them.
 */
export type KeyMeaning = string;

const CHANGES = /^(\d+)\|/;

/** What keys mean from now on, after they meant `before`; nothing behind the number where nothing is ordered any more. */
export function meaningAfter(before: KeyMeaning | undefined, options: OrderOptions): KeyMeaning | undefined {
  const meaning = plainMeaning(options);
  if (before === undefined) return meaning;
  const changes = CHANGES.exec(before);
  if (before.slice(changes?.[0].length ?? 0) === (meaning ?? '')) return before;
  return `${Number(changes?.[1] ?? 0) + 1}|${meaning ?? ''}`;
}

/** Keys of this meaning keep their order. */
export function isOrder(meaning: KeyMeaning | undefined): meaning is KeyMeaning {
  return meaning !== undefined && meaning.replace(CHANGES, '') !== '';
}

function plainMeaning({ order, orderingKey }: OrderOptions): KeyMeaning | undefined {
  return orderingKey === undefined ? order : `${order}:${orderingKey}`;
}

export function keyReader(given: KeyMeaning): KeyReader {
  const meaning = given.replace(CHANGES, '');
  if (meaning === 'topic') return (kept) => bounded(kept.topic);
  if (meaning === 'key') return givenKey;
  const path = meaning.slice('key:'.length).split('.');
  return (kept) => {
    const found = textOf(valueAt(kept.event, path));
    return found === undefined ? givenKey(kept) : bounded(found);
  };
}

/** The publisher's own, or the topic. Events from before the key was known to the product have no flag and go by topic. */
function givenKey(kept: KeptEvent): string {
  if ((kept.flags & HAS_ORDERING_KEY) === 0) return bounded(kept.topic);
  return textOf(kept.event.metadata['orderingKey']) ?? bounded(kept.topic);
}

function valueAt(event: unknown, path: readonly string[]): unknown {
  let value = event;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

/** Objects, lists, `null` and the empty text name nothing. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function bounded(key: string): string {
  if (key.length <= KEY_CHARACTERS_MAX) return key;
  return `${key.slice(0, HEAD_CHARACTERS).toWellFormed()}#${foreignEventId('event-manager/ordering-key', key)}`;
}
