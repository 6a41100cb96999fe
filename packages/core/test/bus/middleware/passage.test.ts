import { EventManagerError, type Middleware } from '@event-manager/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { keptBus } from '../kept-bus.ts';
import { virtualSurroundings } from '../virtual-surroundings.ts';

/** What a middleware may do before it passes an event on, how it does that, and afterwards. */
const behaviour = fc.record({
  waitsMs: fc.constantFrom(0, 0, 10, 200),
  begins: fc.constantFrom('pass', 'pass', 'pass', 'change', 'keep', 'refuse', 'throw', 'nothing'),
  awaits: fc.boolean(),
  ends: fc.constantFrom('well', 'well', 'twice', 'throw', 'swallow', 'hang'),
});
type Behaviour = typeof behaviour extends fc.Arbitrary<infer Value> ? Value : never;

const TIMEOUT_MS = 100;

function behaving({ waitsMs, begins, awaits, ends }: Behaviour, wait: (ms: number) => Promise<void>): Middleware {
  return async (event, next) => {
    if (waitsMs > 0) await wait(waitsMs);
    if (begins === 'refuse') throw new EventManagerError('topic_not_declared', 'no');
    if (begins === 'throw') throw new RangeError('no');
    if (begins === 'nothing') await new Promise(() => {});
    if (begins === 'keep') return;
    const going = next(begins === 'change' ? { ...event, data: { n: Number(event.data['n']) + 1 } } : undefined);
    if (awaits) await (ends === 'swallow' ? going.catch(() => {}) : going);
    if (ends === 'twice') next();
    if (ends === 'throw') throw new RangeError('afterwards');
    if (ends === 'hang') await new Promise(() => {});
  };
}

/** What becomes of an event is known from how each middleware begins: nothing that one does afterwards counts. */
function expectedOf(steps: readonly Behaviour[]): string {
  for (const { waitsMs, begins } of steps) {
    if (waitsMs > TIMEOUT_MS || begins === 'nothing') return 'middleware_timeout';
    if (begins === 'refuse') return 'topic_not_declared';
    if (begins === 'throw') return 'middleware_failed';
    if (begins === 'keep') return 'filtered';
  }
  return 'stored';
}

it('answers with what became of the event, and stores it once at most, whatever middleware does', async () => {
  const run = fc.asyncProperty(fc.array(behaviour, { minLength: 1, maxLength: 5 }), async (steps) => {
    const { time, runtime } = virtualSurroundings();
    const bus = keptBus({ runtime, middlewareTimeout: TIMEOUT_MS });
    for (const step of steps) bus.use(behaving(step, (ms) => time.wait(ms)));
    const outcome = await time.run(
      bus.publish({ type: 'a', data: { n: 0 } }).then(
        (result) => ('filtered' in result ? 'filtered' : 'stored'),
        ({ code }) => code as string,
      ),
    );
    await time.advance(10_000);
    expect(outcome).toBe(expectedOf(steps));
    const events = await time.run(bus.eventManager.getEvents());
    const changes = steps.filter(({ begins }) => begins === 'change').length;
    expect(events.map(({ payload }) => payload)).toEqual(outcome === 'stored' ? [{ n: changes }] : []);
    for (const { seen, passed, filtered, refused, failed, timedOut } of bus.getMiddlewareStats()) {
      const decided = passed + filtered + refused;
      expect(seen).toBeLessThanOrEqual(1);
      expect(decided).toBeLessThanOrEqual(seen);
      if (decided < seen) expect(failed + timedOut).toBe(1);
    }
  });
  await fc.assert(run, { numRuns: 300 });
});
