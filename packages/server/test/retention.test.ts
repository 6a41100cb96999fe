import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { configure } from './configure.ts';
import { call, postJson, runService, sample } from './running-service.ts';

function dataDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'event-manager-retention-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

it('follows a change of the settings at once, and shows what it did', async () => {
  const settings = { adapter: 'journal', dataDir: dataDirectory(), systemEvents: true } as const;
  const service = await runService(settings);
  const { url } = service;
  const { body: paused } = await postJson(`${url}/subscriptions`, {
    name: 'paused',
    topic: 'order.#',
    endpoint: 'https://receiver.invalid/',
  });
  await call(`${url}/subscriptions/${paused.id}/pause`, { method: 'POST' });
  const { body: first } = await postJson(`${url}/events`, sample());
  for (let n = 0; n < 9; n++) await postJson(`${url}/events`, sample({ payload: { n } }));

  const kept = { retentionEventsMax: 4 };
  const changes = service.reconfigure(configure({ ...settings, ...kept }));
  expect(changes.inForce).toEqual(['retentionEventsMax']);
  const holding = /^eventmanager_retention_holding_subscriptions 1$/m;
  for (let text = ''; !holding.test(text); ) text = String((await call(`${url}/metrics`)).body);
  expect((await call(`${url}/events/${first.id}`)).status).toBe(200);

  // Nothing is too young for a debt that may not be held at all.
  service.reconfigure(configure({ ...settings, ...kept, retentionOwedBytesMax: 1 }));
  while ((await call(`${url}/events/${first.id}`)).status !== 404);
  const { body: lost } = await call(`${url}/subscriptions/${paused.id}`);
  const { count, ranges } = lost.status.debtRemoved;
  expect(count).toBeGreaterThanOrEqual(6);
  expect(ranges.at(-1).through).toBeGreaterThanOrEqual(count);
  let told: { payload: object }[] = [];
  while (told.length === 0) told = (await call(`${url}/events?topic=$sys.subscription.debt-removed`)).body.data;
  expect(told[0]!.payload).toMatchObject({ subscriptionId: paused.id, name: 'paused' });

  // What the bus tells of the removal is an event, too, and may push out another one: a debt goes before its event does.
  const isWhole = ({ removedDebts, removedEvents, log }: Retention) =>
    removedDebts >= count && removedEvents >= removedDebts && log.first === removedEvents + 1;
  const json = { headers: { accept: 'application/json' } };
  while (!isWhole((await call(`${url}/metrics`, json)).body.retention));
});

interface Retention {
  readonly removedDebts: number;
  readonly removedEvents: number;
  readonly log: { readonly first: number };
}
