import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { readConfiguration } from '@event-manager/server';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { namedBlocks, regionOf } from './guides/regions.ts';

const page = readFileSync(join(import.meta.dirname, '../docs/retention.md'), 'utf8');
const DAY_MS = 24 * 60 * 60 * 1_000;
const GIB = 1024 ** 3;

const directory = mkdtempSync(join(tmpdir(), 'event-manager-retention-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

// #region policy
const retention = { ageMs: 7 * DAY_MS, bytesMax: 10 * GIB, owedAgeMs: 30 * DAY_MS };
const events = new EventManager({ adapter: journal({ directory }), retention });
// #endregion

function temporaryDirectory(): string {
  const made = mkdtempSync(join(tmpdir(), 'event-manager-retention-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

it('shows a file of settings that is read as it says', () => {
  const [, toml] = page.match(/^```toml\n([\s\S]*?)^```/m)!;
  const config = join(temporaryDirectory(), 'settings.toml');
  writeFileSync(config, toml!);
  const environment = { EVENT_MANAGER_CONFIG: config };
  expect(readConfiguration({ args: [], environment, homeDirectory: '/home/somebody' })).toMatchObject({
    retentionAgeMs: 7 * DAY_MS,
    retentionBytesMax: 10 * GIB,
    retentionEventsMax: 50_000_000,
    retentionOwedAgeMs: 30 * DAY_MS,
    retentionOwedBytesMax: 50 * GIB,
  });
});

it('shows code that is run', async () => {
  await events.publish({ type: 'order.created', source: 'shop' });
  await events.close();
  for (const { file, region, text } of namedBlocks(page)) expect(regionOf(file, region)).toBe(text);
});

it('lists every limit, and refuses what it says is refused', async () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!);
  for (const name of rows) {
    const inMemory = new EventManager({ retention: { ageMs: 1, [name]: 1 } });
    await inMemory.publish({ type: 'order.created', source: 'shop' });
    await inMemory.close();
  }
  expect(rows).toEqual(['ageMs', 'bytesMax', 'eventsMax', 'owedAgeMs', 'owedBytesMax']);
  const byTopic = new EventManager({ retention: { topics: {} } as object });
  await expect(byTopic.getHealth()).rejects.toMatchObject({ code: 'not_supported' });
  const wrong = new EventManager({ retention: { ageMs: -1 } });
  await expect(wrong.getHealth()).rejects.toThrow(TypeError);
});
