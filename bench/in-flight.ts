export interface InFlightOptions {
  readonly count: number;
  /** Calls under way at once. */
  readonly window: number;
  readonly call: (index: number) => Promise<unknown>;
}

export interface InFlightResult {
  readonly perSecond: number;
  /** Time of each call in milliseconds, in the order of calling. */
  readonly latenciesMs: Float64Array;
}

/** Makes `count` calls, always `window` of them under way: a closed loop, for rates. */
export async function inFlight({ count, window, call }: InFlightOptions): Promise<InFlightResult> {
  const latenciesMs = new Float64Array(count);
  let next = 0;
  const caller = async () => {
    while (next < count) {
      const index = next++;
      const startedMs = performance.now();
      await call(index);
      latenciesMs[index] = performance.now() - startedMs;
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: Math.min(window, count) }, caller));
  return { perSecond: (count * 1_000) / (performance.now() - startedMs), latenciesMs };
}
