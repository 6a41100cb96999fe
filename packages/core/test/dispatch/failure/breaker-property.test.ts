import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ClaimedDelivery } from '../../../src/dispatch/claim.ts';
import { Breaker } from '../../../src/dispatch/failure/breaker.ts';

const POLICY = { failures: 3, windowMs: 500, openMs: 100 };
const OPEN_MS_MAX = 300_000;

type Step =
  | { readonly do: 'claim' | 'wait' | 'close'; readonly size: number }
  | { readonly do: 'delivered' | 'failed' | 'released'; readonly size: number };

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom('claim', 'claim', 'wait', 'delivered', 'failed', 'failed', 'failed', 'released', 'close'),
  size: fc.nat(200),
});

/** Plays what may happen in any order, as the dispatcher would, and holds it against what a breaker promises. */
function play(steps: readonly Step[], spread: number): void {
  const breaker = new Breaker(POLICY, { fraction: () => spread, fill: () => {} });
  const underWay: ClaimedDelivery[] = [];
  let nowMs = 0;
  let openedAtMs: number | undefined;
  let probe: ClaimedDelivery | undefined;
  for (const { do: what, size } of steps) {
    nowMs += size;
    const before = breaker.state;
    if (what === 'claim') {
      const room = breaker.room(nowMs);
      if (room === 0) continue;
      const delivery = {} as ClaimedDelivery;
      breaker.claimed(1, nowMs, [delivery]);
      underWay.push(delivery);
      if (before === 'closed') continue;
      // Nobody comes through an open breaker before its time, and one alone after it.
      expect([room, probe, breaker.state]).toEqual([1, undefined, 'half-open']);
      expect(nowMs).toBeGreaterThanOrEqual(openedAtMs! + POLICY.openMs);
      expect(breaker.room(nowMs)).toBe(0);
      probe = delivery;
      continue;
    }
    if (what === 'close') {
      breaker.close();
      probe = undefined;
      expect([breaker.state, breaker.room(nowMs)]).toEqual(['closed', Number.POSITIVE_INFINITY]);
      continue;
    }
    if (what === 'wait' || underWay.length === 0) continue;
    const [delivery] = underWay.splice(size % underWay.length, 1) as [ClaimedDelivery];
    const isProbe = delivery === probe;
    if (what === 'delivered') breaker.answered(delivery);
    if (what === 'failed') breaker.failed(delivery, nowMs);
    if (what === 'released') breaker.released(delivery, nowMs);
    if (isProbe) probe = undefined;
    // Whoever was under way before has no say.
    if (before !== 'closed' && !isProbe) expect(breaker.state).toBe(before);
    if (isProbe) expect(breaker.state).toBe(what === 'delivered' ? 'closed' : 'open');
    if (breaker.state === 'open' && what === 'failed' && (before === 'closed' || isProbe)) {
      openedAtMs = nowMs;
      expect(breaker.opensAtMs - nowMs).toBeLessThanOrEqual(OPEN_MS_MAX * 1.1);
    }
    // Only failures in a row open it.
    if (before === 'closed' && what !== 'failed') expect(breaker.state).toBe('closed');
    if (before === 'closed' && breaker.state === 'open') expect(breaker.failuresInARow).toBeGreaterThanOrEqual(3);
  }
  // It never stays closed to everybody: with nobody under way there is a time at which somebody comes through.
  if (probe === undefined) expect(breaker.room(nowMs + OPEN_MS_MAX * 1.1 + 1)).toBeGreaterThan(0);
}

it('keeps its promises whatever happens in whatever order', () => {
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), chance, (steps, spread) => {
      play(steps, spread);
    }),
    { numRuns: 2_000 },
  );
});
