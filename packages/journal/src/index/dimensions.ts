import type { RecordNames } from '../format/record.ts';

/** The fields that a segment's index can narrow by. */
export const DIMENSIONS = [
  'topic',
  'type',
  'source',
  'correlationId',
  'userId',
  'projectId',
  'causationId',
] as const satisfies readonly (keyof RecordNames)[];
/** Came after the others: the files of older indexes have no sections for it. */
export const LATE_DIMENSION = 'causationId' satisfies Dimension;
export type Dimension = (typeof DIMENSIONS)[number];

/** Dimensions that are asked for by pattern, so that an index must know their distinct values and not only hashes. */
export const PATTERN_DIMENSIONS = ['topic', 'type'] as const satisfies readonly Dimension[];
export type PatternDimension = (typeof PATTERN_DIMENSIONS)[number];
