/** The middle value; of two middle ones the mean. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The smallest value that `share` of the values do not exceed (nearest rank: no value is made up). */
export function percentile(values: ArrayLike<number>, share: number): number {
  return percentiles(values, share)[0]!;
}

/** The same for several shares with one sort. */
export function percentiles(values: ArrayLike<number>, ...shares: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  return shares.map((share) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN);
}
