import { DEFAULT_LIMITS } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { call, runService, sample } from '../../running-service.ts';
import { WsClient } from './ws-client.ts';

describe('publishing over a WebSocket', () => {
  it('says the same of an event as HTTP, and of a repeated one that it was there', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const id = '0198c0de-0000-7000-8000-00000000000a';
    const first = await client.ask({ type: 'publish', event: sample({ id }) });
    expect(first.result).toEqual({ id, cursor: expect.any(String), duplicate: false });
    const again = await client.ask({ type: 'publish', event: sample({ id }) });
    expect(again.result).toEqual({ ...first.result, duplicate: true });
    const other = await client.ask({ type: 'publish', event: sample({ id, payload: {} }) });
    expect(other.error).toMatchObject({ code: 'id_conflict', retryable: false, pointer: '/id' });
    expect((await call(`${url}/events/${id}`)).body).toMatchObject(sample({ id }));
  });

  it('refuses an event with a pointer into that event, alone or among others', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const wrong = sample({ priority: 'URGENT' });
    expect((await client.ask({ type: 'publish', event: wrong })).error).toMatchObject({ pointer: '/priority' });
    const { results } = await client.ask({ type: 'publish', events: [sample(), wrong, 'x', sample()] });
    expect(results).toMatchObject([
      { duplicate: false },
      { error: { code: 'invalid_event', pointer: '/priority' } },
      { error: { code: 'invalid_event', pointer: '' } },
      { duplicate: false },
    ]);
    expect((await client.ask({ type: 'publish', events: [] })).results).toEqual([]);
  });

  it('refuses a batch that is too large as a whole', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const { error } = await client.ask({ type: 'publish', events: Array.from({ length: 10_001 }, () => 1) });
    expect(error).toMatchObject({ code: 'batch_too_large', details: { limit: 10_000 } });
  });

  it('stores events in the order in which they were sent', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const count = 500;
    for (let number = 0; number < count; number++) {
      client.send({ type: 'publish', ref: number, event: sample({ payload: { number } }) });
    }
    await client.answerTo(count - 1);
    const { data } = (await call(`${url}/events?limit=1000`)).body;
    const numbers = data.map(({ payload }: { payload: { number: number } }) => payload.number);
    expect(numbers).toEqual(Array.from({ length: count }, (_, number) => number));
    // Answers that are ready together leave together.
    expect(client.ofType('published').length).toBeLessThan(count / 2);
  });

  it('reads no further while the window is full, and refuses nothing', async () => {
    const { url } = await runService({ wsWindowEvents: 8 });
    const client = await WsClient.open(url);
    expect(client.frames[0].limits.windowEvents).toBe(8);
    const count = 2_000;
    const padding = 'x'.repeat(1_000);
    for (let ref = 0; ref < count; ref++)
      client.send({ type: 'publish', ref, event: sample({ payload: { padding } }) });
    await client.answerTo(count - 1);
    const answers = client.ofType('published').flatMap((frame) => frame.answers);
    expect(answers.map(({ ref }) => ref)).toEqual(Array.from({ length: count }, (_, ref) => ref));
    expect(answers.every(({ result }) => result !== undefined)).toBe(true);
    // Never more in one group of the store than the window lets in.
    for (const frame of client.ofType('published')) expect(frame.answers.length).toBeLessThanOrEqual(8);
  });

  it('passes on that the store has no room, with the time to wait', async () => {
    const { url } = await runService({ limits: { ...DEFAULT_LIMITS, publishWaitingMax: 1 } });
    const client = await WsClient.open(url);
    client.send({ type: 'publish', ref: 1, events: [sample(), sample()] });
    client.send({ type: 'publish', ref: 2, event: sample() });
    const { error } = await client.answerTo(2);
    expect(error).toMatchObject({ code: 'overloaded', retryable: true, retryAfterMs: 1_000 });
    expect(await client.answerTo(1)).toMatchObject({ results: [{ duplicate: false }, { duplicate: false }] });
  });
});
