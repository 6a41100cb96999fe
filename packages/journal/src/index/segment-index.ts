import type { Dimension, PatternDimension } from './dimensions.ts';

/** Decides about one dimension: hashes of the wanted values, or a test over its distinct values. */
export interface Narrowing {
  readonly hashes: ReadonlyMap<Dimension, readonly number[]>;
  readonly patterns: ReadonlyMap<PatternDimension, (value: string) => boolean>;
  readonly lanes: readonly number[] | undefined;
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
}

/**
 * What a segment knows about its records without reading them. Records are named by ordinals: 0 for the first of the
 * segment. The active segment keeps its index in memory, a sealed one in a file beside it.
 */
export interface SegmentIndex {
  readonly count: number;
  /** Recorded-at of the first and last record; 0 when there is none. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** The first ordinal whose position is at least `position`; `count` when there is none. */
  ordinalAt(position: number): number | Promise<number>;
  /** Offset of the record in the segment file. */
  offsetOf(ordinal: number): number | Promise<number>;
  positionOf(ordinal: number): number | Promise<number>;
  /** Ordinals whose id has this hash. */
  idCandidates(hash: number): readonly number[] | Promise<readonly number[]>;
  /** Ascending ordinals in [from, through] that may match; every record that does match is among them. */
  select(narrowing: Narrowing, from: number, through: number): Uint32Array | Promise<Uint32Array>;
}
