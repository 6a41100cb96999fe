import { DEFAULT_LIMITS } from '@event-manager/core';
import { expect, it } from 'vitest';
import { parseExposition } from '../../metrics/parse-exposition.ts';
import { call, runService } from '../../running-service.ts';
import { WsClient } from './ws-client.ts';

async function counted(url: string, name: string, labels: object = {}): Promise<number> {
  const { body } = await call(`${url}/metrics`, { headers: { accept: '*/*' } });
  const samples = parseExposition(body, 'prometheus').flatMap((family) => family.samples);
  const found = samples.find((one) => one.name === name && JSON.stringify(one.labels) === JSON.stringify(labels));
  return found?.value ?? 0;
}

/** A client that sends what nobody reads would otherwise be seen by nobody but itself. */
it('counts frames that cannot be read among what was refused, and the sockets that are open', async () => {
  const { url } = await runService();
  const client = await WsClient.open(url);
  const other = await WsClient.open(url);
  expect(await counted(url, 'eventmanager_websockets')).toBe(2);
  client.send('{');
  await client.until(({ frames }) => frames.length > 1);
  await client.ask({ type: 'unheard-of' });
  const rejected = (code: string) => counted(url, 'eventmanager_events_rejected_total', { code });
  expect(await rejected('invalid_json')).toBe(1);
  expect(await rejected('invalid_request')).toBe(1);
  await other.close();
  await expect.poll(() => counted(url, 'eventmanager_websockets')).toBe(1);
});

it('advises what can be done in a frame, when one holds too many values', async () => {
  const { url } = await runService({ limits: { ...DEFAULT_LIMITS, bodyValuesMax: 50 } });
  const client = await WsClient.open(url);
  client.send(JSON.stringify({ type: 'publish', ref: 1, events: Array(60).fill({}) }));
  await client.until(({ frames }) => frames.length > 1);
  const { error } = client.frames[1];
  expect(error).toMatchObject({ code: 'body_too_large', detail: expect.stringContaining('fewer events in a frame') });
  expect(error.detail).not.toContain('ndjson');
});
