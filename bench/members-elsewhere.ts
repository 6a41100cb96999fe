import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ANONYMOUS, Engine, type Sink } from '@event-manager/core';
import { createTestDatabase, startRedis } from '@event-manager/testing/servers';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { adapterOf, MEASURED, type Noted, TimedMember, timed } from './timed-member.ts';
import { withPostgres } from './with-postgres.ts';

const PACE_MS = 5;
const PUBLISHED_TOGETHER = 500;
const LOOK_EVERY_MS = 20;
const CALM_MS = 500;

/** Makes the owner serve the subscription, and takes nothing. */
const RESTING: Sink = {
  isUp: false,
  deliver: (batch) => batch.map(() => ({ status: 'release' })),
  close: async () => {},
};

/**
 * Deliveries of one subscription to a member at another process than its owner, by NOTIFY and by Redis, beside those to one at
 * the owner itself. Latency is from `publish` to the member at 200 events a second, the rate that of events published at once.
 */
export function membersElsewhere(bench: Bench): Promise<Measured> {
  return withPostgres(bench, async (url) => {
    const sizes = {
      paced: sized(bench, { full: 2_000, quick: 500, smoke: 20 }),
      burst: sized(bench, { full: 10_000, quick: 2_000, smoke: 50 }),
    };
    const redis = await startRedis({ parent: bench.folder });
    try {
      const atOwner = await measure({ url }, undefined, 'owner', sizes);
      const byNotify = await measure({ url }, undefined, 'elsewhere', sizes);
      const byRedis = await measure({ url }, redis.url, 'elsewhere', sizes);
      return {
        value: byNotify.perSecond,
        unit: 'deliveries/s',
        limit: atOwner.perSecond,
        ratio: byNotify.perSecond / atOwner.perSecond,
        p50: byNotify.p50,
        p99: byNotify.p99,
        note: 'by NOTIFY; limit: a member at the owner; latency at 200 events/s',
        details: {
          ownerP50: atOwner.p50,
          ownerP99: atOwner.p99,
          redisPerSecond: byRedis.perSecond,
          redisP50: byRedis.p50,
          redisP99: byRedis.p99,
        },
      };
    } finally {
      await redis.close();
    }
  });
}

async function measure(
  server: { readonly url: string },
  redisUrl: string | undefined,
  where: 'owner' | 'elsewhere',
  sizes: { readonly paced: number; readonly burst: number },
): Promise<Noted> {
  await using database = await createTestDatabase({ server });
  const engine = await Engine.open({ adapter: adapterOf(database.url, redisUrl) });
  const member = new TimedMember();
  const sink = where === 'owner' ? member.sink : RESTING;
  const { id } = await engine.subscriptions.subscribe(ANONYMOUS, MEASURED, { sink });
  while (!engine.isServing(id)) await pause(LOOK_EVERY_MS);
  const other = where === 'owner' ? undefined : fork(scriptPath(), [database.url, redisUrl ?? ''], FORKED);
  try {
    const noted = other ? once(other, 'message').then(([message]) => message as Noted) : member.noted;
    const members = other ? 2 : 1;
    while (engine.subscriptions.status(ANONYMOUS, id).members !== members) await pause(LOOK_EVERY_MS);
    await publishAll(engine, sizes);
    return await noted;
  } finally {
    if (other) await stop(other);
    await engine.close({ drainMs: 0 });
  }
}

const FORKED = { execArgv: ['--conditions=source'] };

function scriptPath(): string {
  return join(import.meta.dirname, 'timed-member.ts');
}

async function publishAll(engine: Engine, { paced, burst }: { paced: number; burst: number }): Promise<void> {
  await pause(CALM_MS);
  for (let at = 0; at < paced; at++) {
    void engine.publish(ANONYMOUS, timed(0));
    await pause(PACE_MS);
  }
  await pause(CALM_MS);
  const events = Array.from({ length: burst }, () => timed(burst));
  for (let at = 0; at < burst; at += PUBLISHED_TOGETHER) {
    await engine.publishBatch(ANONYMOUS, events.slice(at, at + PUBLISHED_TOGETHER));
  }
}

async function stop(other: ChildProcess): Promise<void> {
  const ended = once(other, 'exit');
  other.send('stop');
  await ended;
}
