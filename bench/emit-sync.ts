import { type Bench, type Measured, sized } from './benchmark.ts';
import { type Emitter, eventEmitter2, eventEmitter3, mittEmitter, ourSignal } from './emitters.ts';
import { alternate } from './rounds.ts';

const RATIO_MIN = 1;

/** `emit` in one process to one listener of a pattern, against the emitter that has patterns, too. */
export async function emitSync(bench: Bench): Promise<Measured> {
  const count = sized(bench, { full: 20_000_000, quick: 3_000_000, smoke: 1_000 });
  const rateOf = (make: () => Emitter<unknown>) => async () => emitRate(make(), count);
  const compared = await alternate(bench, rateOf(ourSignal), rateOf(eventEmitter2));
  const beside = await alternate(bench, rateOf(eventEmitter3), rateOf(mittEmitter));
  return {
    ...compared,
    unit: 'emits/s',
    ok: compared.ratio >= RATIO_MIN,
    note: 'one listener of a pattern; limit: eventemitter2 with wildcard. eventemitter3 listens to the name and mitt to all: they have no patterns',
    details: { eventemitter3: beside.value, mitt: beside.limit },
  };
}

/** Emits per second; every one has to have reached the listener. */
function emitRate({ emit, count }: Emitter<unknown>, times: number): number {
  const startedMs = performance.now();
  for (let at = 0; at < times; at++) emit();
  const tookMs = performance.now() - startedMs;
  if (count() !== times) throw new RangeError(`${count()} of ${times} were heard.`);
  return (times * 1_000) / tookMs;
}
