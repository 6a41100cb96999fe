import { encodeCursor } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { configure } from '../../configure.ts';
import { call, postJson, runService, sample } from '../../running-service.ts';
import { type Frame, WsClient } from './ws-client.ts';

async function publish(url: string, count: number, more: object = {}): Promise<string[]> {
  const events = Array.from({ length: count }, (_, number) => sample({ payload: { number }, ...more }));
  const { body } = await postJson(`${url}/events/batch`, events);
  return body.results.map(({ cursor }: { cursor: string }) => cursor);
}

const numbers = ({ events }: WsClient): number[] => events.map(({ payload }) => payload.number);

describe('a stream over a WebSocket', () => {
  it('sends the stored bytes unchanged, each with its cursor', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const { stream, cursor } = await client.ask({ type: 'stream' });
    expect(cursor).toBe(encodeCursor([{ partition: 0, position: 0 }]));
    const payload = { text: 'line\nbreak \u2028 "quoted" \u{1f600} é', zero: -0, number: 1e-7 };
    const { body } = await postJson(`${url}/events`, sample({ payload }));
    await client.until(({ events }) => events.length === 1);
    const stored = await (await fetch(`${url}/events/${body.id}`)).text();
    expect(client.texts).toContain(`{"type":"event","stream":"${stream}","cursor":"${body.cursor}","event":${stored}}`);
  });

  it('selects by topics and filter, and moves the cursor over what it leaves out', async () => {
    const { url } = await runService({ wsHeartbeatMs: 100 });
    const client = await WsClient.open(url);
    const filter = { payload: { wanted: true } };
    await client.ask({ type: 'stream', topics: ['order.*', 'user.*'], filter });
    for (const [type, number, wanted] of [
      ['order.created', 1, true],
      ['order.created', 2, false],
      ['user.created', 3, true],
      ['other.thing', 4, true],
    ] as const) {
      await postJson(`${url}/events`, sample({ type, payload: { number, wanted } }));
    }
    const [last] = await publish(url, 1, { type: 'other.thing' });
    await client.until(() => client.ofType('cursor').at(-1)?.cursor === last);
    expect(numbers(client)).toEqual([1, 3]);
  });

  it('resumes at every boundary without a gap and without a repetition, and so do the others with the same cursor', async () => {
    const { url } = await runService();
    const cursors = await publish(url, 30);
    const all = await WsClient.open(url);
    await all.ask({ type: 'stream', from: 'earliest' });
    await all.until(({ events }) => events.length === 30);
    expect(all.ofType('event').map(({ cursor }) => cursor)).toEqual(cursors);
    const client = await WsClient.open(url);
    for (const [index, cursor] of cursors.entries()) {
      const rest = Array.from({ length: 29 - index }, (_, number) => index + 1 + number);
      const { stream } = await client.ask({ type: 'stream', from: cursor });
      const ofStream = () => client.ofType('event').filter((frame) => frame.stream === stream);
      await client.until(() => ofStream().length >= rest.length);
      expect(ofStream().map(({ event }) => event.payload.number)).toEqual(rest);
      await client.ask({ type: 'unstream', stream });
      const page = (await call(`${url}/events?cursor=${cursor}&limit=100`)).body;
      expect(page.data.map(({ payload }: Frame) => payload.number)).toEqual(rest);
    }
  });

  it('resumes after the connection broke at every boundary, while events go on', async () => {
    const { url } = await runService();
    const seen: number[] = [];
    let cursor = 'earliest';
    await publish(url, 5);
    for (let round = 1; round <= 20; round++) {
      const client = await WsClient.open(url);
      await client.ask({ type: 'stream', from: cursor });
      await postJson(`${url}/events`, sample({ payload: { number: 4 + round } }));
      await client.until(({ events }) => events.length >= 1);
      const [first] = client.ofType('event');
      seen.push(first.event.payload.number);
      cursor = first.cursor;
      // Whatever else was on its way is lost with the connection.
      client.socket.terminate();
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, number) => number));
  });

  it('says with a gap that a cursor is from another, longer log, and refuses one that was cut', async () => {
    const { url } = await runService();
    await publish(url, 1);
    const client = await WsClient.open(url);
    const { stream } = await client.ask({ type: 'stream', from: encodeCursor([{ partition: 0, position: 99 }]) });
    await client.until(() => client.ofType('gap').length === 1);
    await publish(url, 1);
    await client.until(({ events }) => events.length === 1);
    expect(client.ofType('gap')[0]).toMatchObject({ stream, cause: 'ahead', cursor: expect.any(String) });
    const cut = encodeCursor([{ partition: 0, position: 99 }]).slice(0, -1);
    expect((await client.ask({ type: 'stream', from: cut })).error).toMatchObject({
      code: 'invalid_cursor',
      pointer: '/from',
    });
  });

  it('ends when it is asked to, and only then and only that one', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const one = await client.ask({ type: 'stream' });
    const two = await client.ask({ type: 'stream' });
    expect(await client.ask({ type: 'unstream', stream: one.stream })).toMatchObject({ type: 'unstreamed' });
    await publish(url, 1);
    await client.until(({ events }) => events.length === 1);
    expect(client.ofType('event')[0].stream).toBe(two.stream);
    expect((await client.ask({ type: 'unstream', stream: one.stream })).error.code).toBe('invalid_request');
    expect((await client.ask({ type: 'unstream', stream: 'types' })).error.code).toBe('invalid_request');
  });

  it('is one of so many, however many are asked for at once', async () => {
    const { url } = await runService({ streamsMax: 3 });
    const client = await WsClient.open(url);
    const asked = Array.from({ length: 20 }, () => client.ask({ type: 'stream', from: 'earliest' }));
    const answers = await Promise.all(asked);
    expect(answers.filter(({ type }) => type === 'streaming')).toHaveLength(3);
    expect((await call(`${url}/health`)).body.streams).toBe(3);
  });

  it('follows the setting while the connection is open', async () => {
    const service = await runService({ streamsMax: 1 });
    const client = await WsClient.open(service.url);
    await client.ask({ type: 'stream' });
    const types = () => client.ask({ type: 'subscribe', eventTypes: ['a'] });
    for (const streamsMax of [1, 2]) {
      expect((await client.ask({ type: 'stream' })).error).toMatchObject({ code: 'overloaded' });
      expect((await types()).error).toMatchObject({ code: 'overloaded' });
      service.reconfigure(configure({ streamsMax: streamsMax + 1 }));
      expect((await client.ask({ type: 'stream' })).type).toBe('streaming');
    }
    service.reconfigure(configure({ streamsMax: 4 }));
    expect((await types()).eventTypes).toEqual(['a']);
  });

  it('counts with all other streams, and is forgotten with its connection', async () => {
    const { url } = await runService({ streamsMax: 2 });
    const client = await WsClient.open(url);
    await client.ask({ type: 'stream' });
    await client.ask({ type: 'stream' });
    expect((await client.ask({ type: 'stream' })).error).toMatchObject({ code: 'overloaded', retryable: true });
    await client.close();
    while ((await call(`${url}/health`)).body.streams > 0) await new Promise((resolve) => setImmediate(resolve));
    expect((await (await WsClient.open(url)).ask({ type: 'stream' })).type).toBe('streaming');
  });
});

describe('event types over a WebSocket', () => {
  it('sends every event of a wanted type from now on, and lists what is wanted', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const types = () => client.ofType('subscribed').at(-1)?.eventTypes;
    await publish(url, 1, { type: 'task_created' });
    client.send({ type: 'subscribe', eventTypes: ['task_created'] });
    await client.until(() => types() !== undefined);
    client.send({ type: 'subscribe', eventTypes: ['task.*', 'task_created'] });
    await client.until(() => types().length === 2);
    expect(types()).toEqual(['task_created', 'task.*']);
    for (const type of ['task_created', 'order.created', 'task.done']) await publish(url, 1, { type });
    await client.until(({ events }) => events.length === 2);
    expect(client.ofType('event').map(({ stream, event }) => [stream, event.type])).toEqual([
      ['types', 'task_created'],
      ['types', 'task.done'],
    ]);
  });

  it('stops what is not wanted any more, goes on with the rest, and begins again', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    expect((await client.ask({ type: 'subscribe', eventTypes: ['a', 'b'] })).eventTypes).toEqual(['a', 'b']);
    expect((await client.ask({ type: 'unsubscribe', eventTypes: ['b', 'c'] })).eventTypes).toEqual(['a']);
    for (const type of ['b', 'a']) await publish(url, 1, { type });
    await client.until(({ events }) => events.length === 1);
    expect(client.events[0].type).toBe('a');
    expect((await client.ask({ type: 'unsubscribe', eventTypes: ['a'] })).eventTypes).toEqual([]);
    while ((await call(`${url}/health`)).body.streams > 0) await new Promise((resolve) => setImmediate(resolve));
    await publish(url, 1, { type: 'a' });
    await client.ask({ type: 'subscribe', eventTypes: ['b'] });
    await publish(url, 1, { type: 'b' });
    await client.until(({ events }) => events.length === 2);
    expect(client.events[1].type).toBe('b');
  });

  it('refuses what is no pattern, and changes nothing', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const { error } = await client.ask({ type: 'subscribe', eventTypes: ['a', 'b*'] });
    expect(error).toMatchObject({ code: 'invalid_pattern', pointer: '/eventTypes/1' });
    expect((await client.ask({ type: 'subscribe', eventTypes: ['c'] })).eventTypes).toEqual(['c']);
  });
});
