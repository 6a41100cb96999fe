import { CORE_FAILPOINTS, type PlantedBug } from '@event-manager/core';
import { FAILPOINTS } from '@event-manager/journal';
import { SeededChance } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { drawPlan, type Plan } from './plan.ts';
import { runSeed } from './run-seed.ts';

const failpoints = [...CORE_FAILPOINTS, ...FAILPOINTS];
const RUNS_MAX = 600;
const SEEDS_MAX = 20_000;

/** The first violation that a planted bug leads to, or undefined when no seed with such a plan finds it. */
async function firstViolation(bug: PlantedBug, isFit: (plan: Plan) => boolean): Promise<string | undefined> {
  let runs = 0;
  for (let seed = 1; seed <= SEEDS_MAX && runs < RUNS_MAX; seed++) {
    if (!isFit(drawPlan(seed, new SeededChance(seed).fork('plan'), failpoints))) continue;
    runs++;
    const { violations } = await runSeed(seed, { failpoints, planted: new Set([bug]) });
    if (violations.length > 0) return violations[0];
  }
  return undefined;
}

const any = () => true;

/** A plan in which a subscription uses a feature, or the run does. */
function using(name: string): (plan: Plan) => boolean {
  return ({ subscriptions, traits }) =>
    name in traits || subscriptions.some((subscription) => name in subscription.traits);
}

function parking({ subscriptions }: Plan): boolean {
  return subscriptions.some(({ traits }) => traits['order']?.order?.onFailure === 'park');
}

/** If one of these passed unnoticed, the simulation could not see the fault it is there for. */
describe('the simulation catches a planted bug', () => {
  const caught: [PlantedBug, RegExp, (plan: Plan) => boolean][] = [
    ['acknowledge-before-sync', /C2|C3|C4|Not settled|routed everything/, any],
    ['skip-directory-sync', /C2|Not settled/, any],
    ['ignore-short-write', /C2 \S+ claims damage/, any],
    ['dead-letter-not-atomic', /C2 lost/, any],
    ['window-lost-at-restart', /C2 lost/, any],
    ['debt-done-before-work', /C2 lost/, any],
    ['ids-lost-at-restart', /C4/, (plan) => plan.world === 'journal'],
    ['no-fencing', /C2|C4|C5|Not settled/, using('sleep')],
    ['release-counts-as-failure', /C2 \S+ gave up/, using('members')],
    ['pull-lease-never-ends', /C8|Not settled/, using('pull')],
    ['rate-limit-lost-at-restart', /D7/, using('rateLimit')],
    ['key-order-lost-on-overflow', /C5/, using('order')],
    ['key-order-lost-after-retry', /C5/, using('order')],
    ['parked-key-goes-on', /C5 \S+ went on/, parking],
    ['scheduled-under-another-id', /C2|C3/, using('deliverLater')],
    ['retention-drops-debt', /C2 lost/, using('retention')],
    ['fallback-delivers-twice', /C4/, using('members')],
    ['stale-letter-begun', /C4|C5|C8|after it expired/, using('sleep')],
    ['reset-keeps-debts', /C3|C4/, using('reset')],
    ['reset-overwrites-letters', /C2|C4/, using('reset')],
    ['repeated-ask-done-again', /C2 lost/, (plan) => plan.engines > 1 && using('pull')(plan)],
  ];
  it.each(caught)('%s', { timeout: 600_000 }, async (bug, violation, isFit) => {
    expect(await firstViolation(bug, isFit)).toMatch(violation);
  });
});

describe('a seed', () => {
  it('runs the same way twice, so that a failure can be replayed', async () => {
    for (const seed of [11, 57, 103]) {
      const first = await runSeed(seed, { failpoints });
      const second = await runSeed(seed, { failpoints });
      expect(second.traceHash).toBe(first.traceHash);
    }
  });
});
