import { ANONYMOUS, type Engine, isEventManagerError } from '@event-manager/core';
import type { Answers, Fate } from '../receivers.ts';
import type { Feature, LiveSubscription } from './feature.ts';

/**
 * Consumers ask for what is owed and answer for each delivery: in time, too late, or never. What nobody answers for comes
 * again without a failure spent, and an answer that comes too late is told so.
 */
export const pull: Feature = (chance, { via }) => {
  if (via !== 'webhook' || !chance.happens(0.25)) return undefined;
  const consumers = 1 + chance.integer(3);
  const max = chance.pick([1, 5]);
  return {
    ...{ consumers, max },
    via: 'pull',
    live(live) {
      for (let number = 0; number < consumers; number++) void consume(live, number, max);
    },
  };
};

async function consume(live: LiveSubscription, number: number, max: number): Promise<void> {
  const chance = live.chance.fork(`${live.plan.name} consumer ${number}`);
  for (;;) {
    await live.time.wait(20 + chance.integer(100));
    const process = live.anyProcess();
    const engine = process?.engine;
    if (!process || !engine) continue;
    const request = { max, waitMs: chance.integer(1_000) };
    const pulling = engine.subscriptions.pulls.pull(ANONYMOUS, live.id, request).catch(() => []);
    const leases = (await Promise.race([pulling, process.died, live.time.wait(5_000)])) ?? [];
    await Promise.all(
      leases.map((lease) => live.receiver.pulled(lease, process, answersOf(engine, live.id, process.died))),
    );
  }
}

function answersOf(engine: Engine, id: string, died: Promise<void>): Answers {
  const { pulls } = engine.subscriptions;
  const one = (token: string) => ({ deliveries: [token] });
  // A process that dies does not say whether it had heard.
  const fateOf = (answer: Promise<{ stale: readonly string[] }>): Promise<Fate> =>
    Promise.race([
      answer.then(({ stale }) => (stale.length === 0 ? 'taken' : 'stale'), refused),
      died.then(() => 'unknown' as const),
    ]);
  return {
    ack: (token) => fateOf(pulls.ack(ANONYMOUS, id, one(token))),
    nack: (token, retry) => fateOf(pulls.nack(ANONYMOUS, id, { ...one(token), retry, error: 'refused' })),
    extend: (token) => fateOf(pulls.extend(ANONYMOUS, id, one(token))),
  };
}

/** A process whose store failed takes no answer, and of one that did not answer nobody knows. */
function refused(error: unknown): Fate {
  if (isEventManagerError(error, 'store_failed')) return 'stale';
  if (isEventManagerError(error, 'unreachable')) return 'unknown';
  throw error;
}
