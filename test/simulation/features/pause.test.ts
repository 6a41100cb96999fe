import type { Engine } from '@event-manager/core';
import { SeededChance, VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import type { LiveSubscription, Trait } from './feature.ts';
import { pause } from './pause.ts';

const PLAN = { crashAt: [] } as unknown as Parameters<typeof pause>[2];
const LATEST_PAUSE_MS = 4_000;

/** The first draw that pauses at all. */
function drawPause(): Trait {
  for (let seed = 1; ; seed++) {
    const trait = pause(new SeededChance(seed), {} as Parameters<typeof pause>[1], PLAN);
    if (trait) return trait;
  }
}

/** One subscription at one process, where an operation takes `tookMs`; `done` is what became of it, in order. */
function subscriptionThatTakes(tookMs: number) {
  const time = new VirtualTime();
  const done: string[] = [];
  const end = async (what: string) => {
    await time.wait(what === 'pause' ? tookMs : 0);
    done.push(what);
    return {};
  };
  const subscriptions = {
    pause: () => end('pause'),
    resume: () => end('resume'),
  };
  const operate = (operation: (engine: Engine) => Promise<object>) => operation({ subscriptions } as unknown as Engine);
  const live = { id: 'one', time, operate, insist: operate, isHealing: false };
  return { time, done, live, asLive: live as unknown as LiveSubscription };
}

/** Otherwise a run ends with a subscription that somebody paused, and takes its debts for lost. */
describe('a simulated pause', () => {
  it('is not begun once everything heals', async () => {
    const { time, done, live, asLive } = subscriptionThatTakes(0);
    const trait = drawPause();
    trait.live!(asLive);
    live.isHealing = true;
    await time.run(trait.heal!(asLive));
    await time.advance(LATEST_PAUSE_MS);
    expect(done).not.toContain('pause');
  });

  it('that is under way when everything heals is ended behind it', async () => {
    const { time, done, live, asLive } = subscriptionThatTakes(60_000);
    const trait = drawPause();
    trait.live!(asLive);
    await time.advance(LATEST_PAUSE_MS);
    live.isHealing = true;
    await time.run(trait.heal!(asLive));
    expect(done).toContain('pause');
    expect(done.at(-1)).toBe('resume');
  });
});
