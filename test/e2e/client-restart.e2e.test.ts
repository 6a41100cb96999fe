import { EventManagerClient } from '@event-manager/client';
import type { Event } from '@event-manager/core';
import { checkHistory, type HistoryEntry, SeededChance } from '@event-manager/testing';
import { expect, it, onTestFinished } from 'vitest';
import { digest } from '../../examples/github-demo/digest.ts';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { until } from './support/until.ts';

const KILLS = Number(process.env['KILLS'] ?? 20);
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 32);
const EVENTS = 100_000;
const PER_LIFE = EVENTS / KILLS;
/** Publishes whose acknowledgement this program waits for at once. */
const IN_FLIGHT = 1_000;
const TIMEOUT_MS = 170_000;

/** If this failed, every program that uses the service would need code for the time while it is away. */
it('a restart in the middle of 10,000 publishes loses nothing', { timeout: TIMEOUT_MS }, async () => {
  const dataDir = temporaryDirectory();
  let service = await ServiceProcess.start({ dataDir, port: 0 });
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  const { port, url } = service;
  await using events = new EventManagerClient(url);
  const received = new Map<string, number>();
  await events.subscribe({
    topic: 'load.*',
    handler: ({ id }) => void received.set(id, (received.get(id) ?? 0) + 1),
  });

  let acknowledged = 0;
  const stopped = Promise.withResolvers<void>();
  const publishing = Array.from({ length: 10_000 }, async (_, number) => {
    const result = await events.publish({ type: 'load.event', source: 'test', payload: { number } });
    // From here, and not from a timer: a process that gets no time would find all of them acknowledged.
    if (++acknowledged === 2_000) service.stop('SIGTERM').then(() => stopped.resolve(), stopped.reject);
    return result;
  });
  await stopped.promise;
  service = await ServiceProcess.start({ dataDir, port });
  const results = await Promise.all(publishing);

  expect(results.filter(({ duplicate }) => duplicate)).toEqual([]);
  const ids = new Set(results.map(({ id }) => id));
  expect(ids.size).toBe(10_000);
  const stored = await storedNumbers(events);
  expect(stored.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 10_000 }, (_, number) => number));
  // The subscription has no name: it ended with the connection, and began again where it was.
  await until('all are received', 60_000, () => received.size === 10_000);
  expect([...received.values()].filter((times) => times > 1)).toEqual([]);
});

it(`${KILLS} kills during ${EVENTS} publishes lose nothing`, { timeout: TIMEOUT_MS }, async () => {
  const chance = new SeededChance(SEED);
  const dataDir = temporaryDirectory();
  const environment = { NODE_COMPILE_CACHE: temporaryDirectory() };
  let service = await ServiceProcess.start({ dataDir, port: 0, environment });
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  const { port, url } = service;
  const history: HistoryEntry[] = [{ kind: 'subscribe', subscription: 'audit' }];
  const awaited = new Set<string>();
  await using events = new EventManagerClient(url);
  await events.subscribe({
    name: 'audit',
    topic: '#',
    // What was under way is delivered one by one after a kill, each attempt written down first.
    options: { inFlightMax: 64 },
    handler({ payload }: Event, { attempt }) {
      const id = `event-${payload['number']}`;
      history.push({ kind: 'deliver', subscription: 'audit', id, attempt, digest: digest(payload) });
      awaited.delete(id);
    },
  });

  let kills = 0;
  let next = 0;
  let acknowledged = 0;
  let life = Promise.withResolvers<void>();
  /** One of the many who publish: it knows nothing of kills. */
  const publisher = async () => {
    while (next < EVENTS) {
      while (next >= (kills + 1) * PER_LIFE) await life.promise;
      if (next >= EVENTS) return;
      const number = next++;
      const id = `event-${number}`;
      const payload = { number, padding: 'x'.repeat(100) };
      history.push({ kind: 'invoke', client: 'client', id, digest: digest(payload) });
      awaited.add(id);
      const { duplicate } = await events.publish({ type: 'load.event', source: 'test', payload });
      expect(duplicate).toBe(false);
      history.push({ kind: 'ok', id });
      acknowledged++;
    }
  };
  const publishing = Promise.all(Array.from({ length: IN_FLIGHT }, publisher));
  while (kills < KILLS) {
    const at = kills * PER_LIFE + chance.fraction() * (PER_LIFE - IN_FLIGHT);
    await until('this life has done its part', 60_000, () => acknowledged >= at);
    await service.stop('SIGKILL');
    service = await ServiceProcess.start({ dataDir, port, environment });
    kills++;
    life.resolve();
    life = Promise.withResolvers();
  }
  await publishing;
  await until('every event has arrived', 60_000, () => awaited.size === 0);

  const report = checkHistory(history);
  const line = { test: 'client-restart', seed: SEED, kills, ...report, subscriptions: undefined, examples: undefined };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  expect(report, `SEED=${SEED}`).toMatchObject({
    acked: EVENTS,
    delivered: EVENTS,
    lost: 0,
    unexpected: 0,
    // A duplicate has a higher attempt.
    attemptsRepeated: 0,
  });
});

async function storedNumbers(events: EventManagerClient): Promise<number[]> {
  const numbers: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await events.getEvents({}, { limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
    numbers.push(...page.map(({ payload }) => payload['number'] as number));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return numbers;
}
