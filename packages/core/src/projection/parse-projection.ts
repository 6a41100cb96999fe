import type { Recorded } from '../contracts/event-store.ts';
import { KeptEvent } from '../dispatch/kept-event.ts';
import type { Event } from '../event/event.ts';
import { compileFilter } from '../filter/compile-filter.ts';
import { parseFilter } from '../filter/parse-filter.ts';
import type { Limits } from '../limits.ts';
import { refuseUnknownOptions } from '../refuse-unknown-options.ts';
import { matchesPattern, parsePattern } from '../topic/pattern.ts';
import type { ProjectionDefinition } from './projection.ts';

const NAME = /^[A-Za-z0-9._:-]{1,100}$/;
const SNAPSHOT_EVERY = 1_000;

const OPTIONS = ['name', 'version', 'topic', 'filter', 'key', 'initial', 'apply', 'snapshotEvery'];

/** A definition as it is understood. */
export interface ParsedProjection {
  readonly name: string;
  readonly version: number;
  readonly isKeyed: boolean;
  readonly snapshotEvery: number;
  /** What decides which events there are to fold: at another one the state is of no use. */
  readonly selects: string;
  /** The event to be folded, if the record is one. */
  readonly select: (record: Recorded) => Event | undefined;
  readonly keyOf: (event: Event) => string | undefined;
  readonly initial: () => unknown;
  readonly apply: (state: unknown, event: Event) => unknown;
}

/** Which events are looked at: a pattern over topics, and a filter. Throws `invalid_pattern`, `invalid_filter`. */
export function parseSelection(
  { topic = '#', filter }: Pick<ProjectionDefinition<unknown>, 'topic' | 'filter'>,
  limits: Limits,
): (record: Recorded) => Event | undefined {
  const pattern = parsePattern(topic, limits, '/topic');
  const matches = filter === undefined ? undefined : compileFilter(parseFilter(filter, limits, '/filter'));
  return (record) => {
    if (!matchesPattern(pattern, record.topic)) return undefined;
    const { event } = new KeptEvent(record);
    return matches === undefined || matches(event) ? event : undefined;
  };
}

/** A mistake in the program is a `TypeError`; a pattern or a filter that cannot be read is `invalid_pattern`, `invalid_filter`. */
export function parseProjection(given: ProjectionDefinition<unknown>, limits: Limits): ParsedProjection {
  refuseUnknownOptions(given, OPTIONS, 'A projection');
  const { name, version = 1, topic = '#', filter, key, initial, apply, snapshotEvery = SNAPSHOT_EVERY } = given;
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new TypeError('The name of a projection has 1 to 100 letters, digits, and . _ - : between them.');
  }
  assertWhole(version, 'version');
  assertWhole(snapshotEvery, 'snapshotEvery');
  if (typeof apply !== 'function') throw new TypeError('A projection has a function apply.');
  if (key !== undefined && typeof key !== 'function') throw new TypeError('The key of a projection is a function.');
  if (initial === undefined) throw new TypeError('A projection has an initial state.');
  return {
    ...{ name, version, snapshotEvery },
    isKeyed: key !== undefined,
    selects: JSON.stringify({ topic, filter, isKeyed: key !== undefined }),
    select: parseSelection({ topic, filter }, limits),
    keyOf: key ?? (() => ''),
    initial: typeof initial === 'function' ? (initial as () => unknown) : () => structuredClone(initial),
    apply,
  };
}

function assertWhole(value: number, name: string): void {
  if (!Number.isInteger(value) || value < 1)
    throw new TypeError(`${name} of a projection is a whole number from 1 on.`);
}
