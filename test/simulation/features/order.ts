import { ANONYMOUS } from '@event-manager/core';
import type { Feature, LiveSubscription } from './feature.ts';

/** The events of one topic or key come one after the other, through failures, overflow and restarts. */
export const order: Feature = (chance) => {
  if (!chance.happens(0.35)) return undefined;
  const by = chance.pick(['topic', 'key'] as const);
  const onFailure = chance.pick(['block', 'block', 'park', 'skip'] as const);
  const lookMs = chance.pick([300, 3_000]);
  return {
    options: { order: by, onFailure },
    order: { by, onFailure },
    live(live) {
      if (onFailure !== 'park') return;
      const look = async (): Promise<void> => {
        await releaseOne(live);
        if (!live.isHealing) live.time.after(lookMs, () => void look());
      };
      live.time.after(lookMs, () => void look());
    },
    whileHealing: (live) => (onFailure === 'park' ? releaseOne(live) : Promise.resolve(undefined)),
  };
};

/** Somebody who looks after parked keys. Says whether there is one. */
async function releaseOne({ id, plan, operate, history, note }: LiveSubscription): Promise<string | undefined> {
  const keys = await operate((engine) => engine.subscriptions.keys.all(ANONYMOUS, id));
  if (!keys) return 'nobody knows the parked keys';
  const parked = keys.find(({ state }) => state === 'parked');
  // One that was released elsewhere goes on when its subscription's process hears of that.
  if (!parked) return keys.length > 0 ? `keys of ${plan.name} wait` : undefined;
  const { key } = parked;
  note(`release ${plan.name} ${key}`);
  await operate(async (engine) => {
    const release = { kind: 'release', subscription: plan.name, key } as const;
    history.push({ ...release, step: 'asked' });
    // Whoever gave up waiting for the answer has asked all the same.
    const answered = engine.subscriptions.keys.release(ANONYMOUS, id, key);
    return answered.finally(() => history.push({ ...release, step: 'answered' }));
  });
  return `a key of ${plan.name} was parked`;
}
