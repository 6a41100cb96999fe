import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { type Service, startService } from '../src/index.ts';
import { configure } from './configure.ts';
import { call, postJson, runService, sample } from './running-service.ts';

async function systemTopics({ url }: Service): Promise<string[]> {
  const { body } = await call(`${url}/events?topic=${encodeURIComponent('$sys/#')}`);
  return body.data.map(({ topic }: { topic: string }) => topic);
}

it('tells of its starts and stops in a journal that outlives it', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'system-events-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const configuration = configure({ adapter: 'journal', dataDir, systemEvents: true });
  const start = () => startService({ configuration, logger: pino({ level: 'silent' }) });
  const first = await start();
  await first.stop();
  const second = await start();
  onTestFinished(() => second.stop());
  await expect
    .poll(() => systemTopics(second))
    .toEqual(['$sys/service/started', '$sys/service/stopping', '$sys/service/started']);
});

it('keeps them apart from the events of others: in searches, in streams, and from publishers', async () => {
  const service = await runService({ systemEvents: true });
  const { url } = service;
  await expect.poll(() => systemTopics(service)).toEqual(['$sys/service/started']);
  await postJson(`${url}/events`, sample());
  expect((await call(`${url}/events`)).body.data).toMatchObject([{ type: 'order.created' }]);
  const forged = await postJson(`${url}/events`, sample({ topic: '$sys/service/stopping' }));
  expect([forged.status, forged.body.code]).toEqual([403, 'topic_reserved']);
  const abort = new AbortController();
  const stream = await fetch(`${url}/events/stream?from=earliest`, { signal: abort.signal });
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes('data:')) text += (await reader.read()).value ?? '';
  abort.abort();
  expect(text).toContain('order.created');
  expect(text).not.toContain('$sys');
});

it('publishes none of them when told so', async () => {
  const service = await runService({ systemEvents: false });
  await postJson(`${service.url}/events`, sample());
  expect(await systemTopics(service)).toEqual([]);
  expect((await call(`${service.url}/health`)).body.head).toBe(1);
});
