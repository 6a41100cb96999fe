import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventManager, systemRuntime } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { expect, it, onTestFinished } from 'vitest';

const EVENTS = 1_000;

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'event-manager-replay-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const soon = () => new Promise<void>((resolve) => void systemRuntime.timers.after(5, resolve, true));

it('goes on after a restart exactly where it was, with its counts', { timeout: 60_000 }, async () => {
  const path = directory();
  const replayed: number[] = [];
  const open = async () => {
    const events = new EventManager({ adapter: journal({ directory: path }) });
    await events.subscribe({
      ...{ name: 'reader', topic: '#', options: { maxConcurrency: 8 } },
      async handler(event, { replay }) {
        if (!replay) return;
        replayed.push(event.payload['n'] as number);
        await soon();
      },
    });
    return events;
  };
  const first = await open();
  for (let n = 0; n < EVENTS; n += 500) {
    const input = Array.from({ length: 500 }, (_, at) => ({ type: 'a', source: 'test', payload: { n: n + at } }));
    await first.publishBatch(input);
  }
  await first.settled();
  const { id } = await first.replay({ all: true, speed: 2_000 });
  while (replayed.length < 200) await soon();
  await first.close();
  const before = replayed.length;
  const second = await open();
  while ((await second.getRun(id)).endedAtMs === undefined) await soon();
  expect((await second.getRun(id)).counts).toEqual({ total: EVENTS, done: EVENTS, failed: 0, skipped: 0 });
  // Nothing twice, and in the order of the log on either side of the restart.
  expect(replayed).toHaveLength(EVENTS);
  expect(replayed.slice(before + 8)).toEqual(replayed.slice(before + 8).toSorted((a, b) => a - b));
  await second.close();
});
