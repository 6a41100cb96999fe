import { ANONYMOUS, type Engine, type SubscriptionDefinition } from '@event-manager/core';
import type { Feature, LiveSubscription } from './feature.ts';

/**
 * Several members share the subscription: each attaches to some process, stays for a while, and leaves, politely or by a
 * connection that is lost. What it had under way is somebody else's then, and costs no failure.
 */
export const members: Feature = (chance, { via }) => {
  if (via !== 'handler' || !chance.happens(0.35)) return undefined;
  const count = 2 + chance.integer(3);
  const staysMs = chance.pick([300, 3_000]);
  const drainMs = chance.pick([0, 0, 1_000]);
  // While nobody is there a webhook serves, and gives back when somebody comes.
  const hasFallback = chance.happens(0.5);
  return {
    ...{ count, staysMs, drainMs },
    created: hasFallback ? { endpoint: 'https://receiver.example/', realtime: true } : {},
    via: 'socket',
    live(live) {
      for (let number = 0; number < count; number++) void liveOn(live, `member-${number}`, { staysMs, drainMs });
    },
  };
};

/** One member until the run ends. Once nothing goes wrong any more it stays where it is. */
async function liveOn(
  live: LiveSubscription,
  member: string,
  { staysMs, drainMs }: { staysMs: number; drainMs: number },
): Promise<void> {
  const chance = live.chance.fork(`${live.plan.name} ${member}`);
  const { time, note } = live;
  for (;;) {
    await time.wait(chance.integer(200));
    const process = live.anyProcess();
    const engine = process?.engine;
    if (!process || !engine) continue;
    let leave = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    let isLost = false;
    let lose = () => {};
    const lost = new Promise<void>((resolve) => {
      lose = resolve;
    });
    const way = {
      lost,
      wasStill: process.wasStill,
      get isAlive() {
        return process.isAlive && !isLost;
      },
      get awakes() {
        return process.awakes;
      },
    };
    const sink = live.receiver.sink(way, live.watch(process));
    const joining: Promise<SubscriptionDefinition | undefined> = engine.subscriptions
      .subscribe(ANONYMOUS, live.request, { sink, member, onLeft: leave })
      .catch(() => undefined);
    const joined = await Promise.race([joining, process.died, time.wait(10_000)]);
    if (!joined) continue;
    note(`${member} joins ${live.plan.name} at ${process.name}`);
    // Once all is well it stays; until then it comes and goes.
    time.after(staysMs / 2 + chance.integer(staysMs), () => live.isHealing || leave());
    await Promise.race([left, process.died]);
    if (!process.isAlive) continue;
    note(`${member} leaves ${live.plan.name} at ${process.name}`);
    isLost = drainMs === 0;
    if (isLost) {
      live.interrupted();
      lose();
    }
    await Promise.race([detach(engine, live.id, sink, drainMs), process.died, time.wait(10_000)]);
  }
}

async function detach(engine: Engine, id: string, sink: object, drainMs: number): Promise<void> {
  await engine.subscriptions.detach(ANONYMOUS, id, { sink: sink as never, drainMs }).catch(() => {});
}
