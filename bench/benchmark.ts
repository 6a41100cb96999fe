/** How much work a benchmark does: all of it, the one-minute run, or just enough to see that it runs. */
export type Scale = 'full' | 'quick' | 'smoke';

/** What a benchmark is given. */
export interface Bench {
  readonly scale: Scale;
  /** An empty folder of its own on the disk that is measured; removed by whoever started the benchmark. */
  readonly folder: string;
  /** A folder that the benchmarks of one run share, for what takes minutes to prepare. */
  readonly sharedFolder: string;
}

/** What came out. Rates are medians of rounds; times are milliseconds and sizes bytes or MiB, as `unit` says. */
export interface Measured {
  readonly value: number;
  readonly unit: string;
  /** The limit or the peer, in the same unit, measured in the same run. */
  readonly limit?: number;
  /** Value to limit, or what the benchmark compares instead (its note says so). */
  readonly ratio?: number;
  readonly p50?: number;
  readonly p99?: number;
  /** Whether the target was reached. Absent where a scale is too small to tell. */
  readonly ok?: boolean;
  /** What a reader has to know to believe the figure. */
  readonly note?: string;
  readonly details?: Readonly<Record<string, number>>;
}

export type Benchmark = (bench: Bench) => Promise<Measured>;

/** The size for the scale at hand. */
export function sized(bench: Bench, sizes: Readonly<Record<Scale, number>>): number {
  return sizes[bench.scale];
}
