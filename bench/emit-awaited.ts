import { type Bench, type Measured, sized } from './benchmark.ts';
import { type Emitter, emitteryEmitter, ourAwaitedSignal } from './emitters.ts';
import { alternate } from './rounds.ts';

const RATIO_MIN = 2;

/** The same, each awaited before the next. */
export async function emitAwaited(bench: Bench): Promise<Measured> {
  const count = sized(bench, { full: 3_000_000, quick: 500_000, smoke: 1_000 });
  const rateOf = (make: () => Emitter<Promise<unknown>>) => () => awaitedRate(make(), count);
  const compared = await alternate(bench, rateOf(ourAwaitedSignal), rateOf(emitteryEmitter));
  return {
    ...compared,
    unit: 'emits/s',
    ok: compared.ratio >= RATIO_MIN,
    note: 'one listener, each emit awaited; ours listens to a pattern. Limit: emittery, which listens to the name',
  };
}

async function awaitedRate({ emit, count }: Emitter<Promise<unknown>>, times: number): Promise<number> {
  const startedMs = performance.now();
  for (let at = 0; at < times; at++) await emit();
  const tookMs = performance.now() - startedMs;
  if (count() !== times) throw new RangeError(`${count()} of ${times} were heard.`);
  return (times * 1_000) / tookMs;
}
