import { ANONYMOUS } from '@event-manager/core';
import type { Feature, LiveSubscription } from './feature.ts';

const LOOK_EVERY_MS = 700;

/** Now and then the receiver says that it is gone for good; somebody notices later and resumes what that stopped. */
export const gone: Feature = (chance, subscription) => {
  if (subscription.via !== 'webhook' || !chance.happens(0.15)) return undefined;
  return {
    answers: { gone: 0.03 },
    live(live) {
      const look = async (): Promise<void> => {
        await resumeStopped(live);
        if (!live.isHealing) live.time.after(LOOK_EVERY_MS, () => void look());
      };
      live.time.after(LOOK_EVERY_MS, () => void look());
    },
    // A stop that takes long to be written may come after somebody has looked.
    whileHealing: resumeStopped,
  };
};

/** Says whether it was stopped, as far as a process knows. */
async function resumeStopped({ id, plan, operate }: LiveSubscription): Promise<string | undefined> {
  const definition = await operate(async ({ subscriptions }) => subscriptions.get(ANONYMOUS, id));
  if (definition?.state !== 'stopped') return undefined;
  await operate((engine) => engine.subscriptions.resume(ANONYMOUS, id));
  return `${plan.name} was stopped`;
}
