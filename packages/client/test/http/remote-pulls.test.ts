import { webRuntime } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { HttpCaller } from '../../src/http/http-caller.ts';
import { RemotePulls } from '../../src/http/remote-pulls.ts';
import { httpStandIn, problem } from '../support/http-stand-in.ts';
import { until } from '../support/until.ts';

const event = (id: string) => ({
  id,
  type: 't',
  source: 's',
  timestamp: '2026-11-20T08:00:00Z',
  metadata: {},
  payload: {},
});
const lease = (name: string) => ({
  delivery: name,
  attempt: 1,
  leaseUntil: '2026-11-20T08:00:30.000Z',
  event: event(name),
});

/** A service that has these deliveries, and calls answers to `late` ones too late. */
async function serviceWith(names: readonly string[], late: readonly string[] = []) {
  return httpStandIn(({ url, body }, response) => {
    const { deliveries = [] } = JSON.parse(body) as { deliveries?: string[] };
    const stale = deliveries.filter((name) => late.includes(name));
    const until = url.endsWith('/extend') ? { leaseUntil: '2026-11-20T08:01:00.000Z' } : {};
    const answer = url.endsWith('/pull') ? { deliveries: names.map(lease) } : { stale, ...until };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
}

function pullsOf(url: string, requestTimeoutMs = 5_000): RemotePulls {
  return new RemotePulls(new HttpCaller({ url, runtime: webRuntime, requestTimeoutMs }), webRuntime.timers);
}

describe('pulling over the network', () => {
  it('sends answers of one turn together, each kind in a request of its own', async () => {
    const { url, asked } = await serviceWith(['a', 'b', 'c', 'd'], ['b']);
    const [a, b, c, d] = await pullsOf(url).pull('s/1', { max: 4, waitMs: 10 });
    const why = { retry: false, error: 'no paper', metadata: { printer: 3 } };
    expect(await Promise.all([a!.ack(), b!.ack(), c!.nack(why), d!.nack(why)])).toEqual([true, false, true, true]);
    expect(asked.map((one) => [one.url, JSON.parse(one.body)])).toEqual([
      ['/subscriptions/s%2F1/pull', { max: 4, waitMs: 10 }],
      ['/subscriptions/s%2F1/ack', { deliveries: ['a', 'b'] }],
      ['/subscriptions/s%2F1/nack', { ...why, deliveries: ['c', 'd'] }],
    ]);
  });

  it('sends no more answers together than the service takes', async () => {
    const names = Array.from({ length: 2_500 }, (_, at) => `d${at}`);
    const { url, asked } = await serviceWith(names);
    const pulled = await pullsOf(url).pull('s', { max: 1_000 });
    expect(await Promise.all(pulled.map(({ ack }) => ack()))).toEqual(names.map(() => true));
    const sent = asked.slice(1).map(({ body }) => (JSON.parse(body) as { deliveries: string[] }).deliveries);
    expect(sent.map(({ length }) => length).toSorted()).toEqual([1_000, 1_000, 500]);
    expect(new Set(sent.flat()).size).toBe(names.length);
  });

  it('knows how long a lease holds that was extended, and leaves one that was not', async () => {
    const { url } = await serviceWith(['a', 'b'], ['b']);
    const [a, b] = await pullsOf(url).pull('s', {});
    expect(await Promise.all([a!.extend(), b!.extend()])).toEqual([true, false]);
    expect([a!.leaseUntil, b!.leaseUntil]).toEqual(['2026-11-20T08:01:00.000Z', '2026-11-20T08:00:30.000Z']);
    expect(a!.event.timestamp).toEqual(new Date('2026-11-20T08:00:00Z'));
  });

  it('asks again when the service was away, and gives up when it is told to', async () => {
    const { url, asked } = await httpStandIn((_asked, response, count) => {
      if (count === 1) problem(response, 503, { code: 'not_ready', detail: 'Soon.', retryable: true });
      else if (count === 2) response.end('{"deliveries":[]}');
    });
    expect(await pullsOf(url).pull('s', {})).toEqual([]);
    expect(asked).toHaveLength(2);
    const ending = new AbortController();
    const waiting = pullsOf(url).pull('s', { waitMs: 20_000, signal: ending.signal });
    await until('it is asked', () => asked.length === 3);
    ending.abort();
    expect(await waiting).toEqual([]);
    expect(await pullsOf(url).pull('s', { signal: ending.signal })).toEqual([]);
    expect(asked).toHaveLength(3);
  });

  it('waits longer for its answer than it asked the service to wait', async () => {
    const { url } = await httpStandIn((_asked, response) => {
      setTimeout(() => response.end('{"deliveries":[]}'), 300);
    });
    expect(await pullsOf(url, 100).pull('s', { waitMs: 2_000 })).toEqual([]);
    await expect(pullsOf(url, 100).pull('s', {})).rejects.toMatchObject({ code: 'unreachable' });
  });

  it.each([
    '{}',
    '{"deliveries":{}}',
    '{"deliveries":[7]}',
    '{"deliveries":[{"delivery":"a","attempt":1,"leaseUntil":"x","event":{}}]}',
    '{"deliveries":[{"delivery":"a","attempt":"1","leaseUntil":"x","event":{"id":"a","metadata":{}}}]}',
  ])('refuses what no event manager answers: %s', async (text) => {
    const { url } = await httpStandIn((_asked, response) => void response.end(text));
    await expect(pullsOf(url).pull('s', {})).rejects.toMatchObject({ code: 'internal' });
  });
});
