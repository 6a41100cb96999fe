import { ANONYMOUS, type Event } from '@event-manager/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { durableWorld, fixedRetry } from '../open-engine.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const RETENTION = { ageMs: MINUTE, owedAgeMs: 10 * MINUTE };

/** Subscriptions of different ways to keep what they cannot deliver. */
const SUBSCRIPTIONS = [
  { name: 'plain', options: {} },
  { name: 'blocking', options: { order: 'topic' } },
  { name: 'parking', options: { order: 'topic', onFailure: 'park' } },
  { name: 'small', options: { order: 'key', inFlightMax: 5 } },
] as const;
/** More of them, for longer: CONSERVATION_RUNS. */
const RUNS = Number(process.env['CONSERVATION_RUNS'] ?? 40);
const RUN_MS_MAX = 2_500;
const TOPICS = ['a', 'b', 'c'];

type Step =
  | { readonly do: 'publish'; readonly topic: string; readonly count: number; readonly expiresMs: number }
  | { readonly do: 'pause' | 'resume' | 'detach' | 'attach' | 'release'; readonly at: number }
  | { readonly do: 'break' | 'mend' }
  | { readonly do: 'wait'; readonly seconds: number };

const STEP = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      topic: fc.constantFrom(...TOPICS),
      count: fc.integer({ min: 1, max: 12 }),
      expiresMs: fc.constantFrom(0, 0, SECOND, 2 * MINUTE, 30 * MINUTE),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('pause', 'resume', 'detach', 'attach', 'release'),
      at: fc.integer({ min: 0, max: SUBSCRIPTIONS.length - 1 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('break' as const, 'mend' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 3, 30, 200, 700) }),
  },
) as fc.Arbitrary<Step>;

/** Always tried: some events expire and the debts of all end, so that these are counted in any case. */
const ALL_END: readonly Step[] = [
  ...[...SUBSCRIPTIONS.keys()].map((at): Step => ({ do: 'pause', at })),
  { do: 'publish', topic: 'a', count: 12, expiresMs: 0 },
  { do: 'publish', topic: 'b', count: 12, expiresMs: SECOND },
  { do: 'wait', seconds: 700 },
  { do: 'wait', seconds: 200 },
];

async function run(steps: readonly Step[]) {
  const { time, open } = durableWorld();
  const bus = await open({ retention: RETENTION });
  const { subscriptions } = bus.engine;
  let isBroken = false;
  let published = 0;
  const ids: string[] = [];
  const attached = new Set<number>();
  const handler = (event: Event) => ({ success: !isBroken || (event.payload['n'] as number) % 3 !== 0 });
  const attach = async (at: number) => {
    if (attached.has(at)) return;
    const { name, options } = SUBSCRIPTIONS[at]!;
    const filter = { payload: { kind: { anythingBut: 'other' } } };
    const all = { ...options, retryPolicy: fixedRetry(2, 4 * MINUTE) };
    ids[at] = (await bus.subscribe({ name, filter, options: all, handler })).id;
    attached.add(at);
  };
  for (const at of SUBSCRIPTIONS.keys()) await attach(at);
  for (const step of steps) {
    if (step.do === 'publish') {
      for (let n = 0; n < step.count; n++) {
        const expiresAt = new Date(time.wallMs() + step.expiresMs).toISOString();
        const payload = { n: published, kind: published % 5 === 0 ? 'other' : 'wanted' };
        await bus.publish({ topic: step.topic, payload, ...(step.expiresMs > 0 ? { metadata: { expiresAt } } : {}) });
        published++;
      }
    } else if (!('at' in step)) {
      if (step.do === 'wait') await time.advance(step.seconds * SECOND);
      else isBroken = step.do === 'break';
    } else if (step.do === 'attach') await attach(step.at);
    else if (step.do === 'detach') {
      attached.delete(step.at);
      await time.run(subscriptions.detach(ANONYMOUS, ids[step.at]!));
    } else if (step.do === 'release') await time.run(subscriptions.keys.releaseAll(ANONYMOUS, ids[step.at]!));
    else await time.run(subscriptions[step.do](ANONYMOUS, ids[step.at]!));
  }
  isBroken = false;
  for (const at of SUBSCRIPTIONS.keys()) {
    await attach(at);
    await time.run(subscriptions.resume(ANONYMOUS, ids[at]!));
    await time.run(subscriptions.keys.releaseAll(ANONYMOUS, ids[at]!));
  }
  await bus.settled();
  const { delivered, deadLettered, expired, skipped, withdrawn, removed } = bus.engine.metrics().deliveries;
  await bus.close();
  return { published, delivered, deadLettered, expired, skipped, withdrawn, removed };
}

/** Without it nobody could say of an event that is missing what became of it. */
it(
  'counts each event once for each subscription, whatever becomes of it',
  async () => {
    const ends = await run(ALL_END);
    expect(ends.removed).toBeGreaterThan(0);
    expect(ends.expired).toBeGreaterThan(0);
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 6, maxLength: 30 }), async (steps) => {
        const { published, ...fates } = await run(steps);
        const counted = Object.values(fates).reduce((sum, count) => sum + count, 0);
        expect(counted, JSON.stringify(fates)).toBe(published * SUBSCRIPTIONS.length);
        expect(fates.withdrawn, JSON.stringify(fates)).toBe(0);
      }),
      { numRuns: RUNS, examples: [[[...ALL_END]]] },
    );
  },
  RUNS * RUN_MS_MAX,
);
