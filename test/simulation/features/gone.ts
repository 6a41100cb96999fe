import { ANONYMOUS } from '@event-manager/core';
import type { Feature } from './feature.ts';

const LOOK_EVERY_MS = 700;

/** Now and then the receiver says that it is gone for good; somebody notices later and resumes what that stopped. */
export const gone: Feature = (chance, subscription) => {
  if (subscription.via !== 'webhook' || !chance.happens(0.15)) return undefined;
  return {
    answers: { gone: 0.03 },
    live(live) {
      const look = async (): Promise<void> => {
        await live.operate(async (engine) => {
          const definition = engine.subscriptions.get(ANONYMOUS, live.id);
          return definition.state === 'stopped' ? engine.subscriptions.resume(ANONYMOUS, live.id) : definition;
        });
        if (!live.isHealing) live.time.after(LOOK_EVERY_MS, () => void look());
      };
      live.time.after(LOOK_EVERY_MS, () => void look());
    },
    async heal({ id, insist }) {
      await insist((engine) => engine.subscriptions.resume(ANONYMOUS, id));
    },
  };
};
