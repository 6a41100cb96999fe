import { compilePatterns } from '../../topic/compile-patterns.ts';
import { isHidden } from '../../topic/pattern.ts';
import type { StoreRead } from './bus-event-store.ts';

/** What a store has to know of a record to decide about it. */
export interface ReadFields {
  readonly type: string;
  readonly topic: string;
  readonly recordedAtMs: number;
}

/** Makes the test of one read. Throws `invalid_pattern`. */
export function compileRead({ topic, types, fromMs = 0, toMs }: StoreRead): (record: ReadFields) => boolean {
  const matchesTopic = topic === undefined ? (text: string) => !isHidden(text) : compilePatterns([topic]);
  const matchesType = types === undefined ? () => true : compilePatterns(types);
  const endMs = toMs ?? Number.POSITIVE_INFINITY;
  return (record) =>
    record.recordedAtMs >= fromMs &&
    record.recordedAtMs < endMs &&
    matchesTopic(record.topic) &&
    matchesType(record.type);
}
