import { LETTER_BYTES_MAX } from '@event-manager/core';
import { FaultProxy } from '@event-manager/testing';
import { createTestKeys, missingServer, sharedServer, startRedis, type TestKeys } from '@event-manager/testing/servers';
import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ExchangingProcess, PROBE } from '../support/exchanging-process.ts';
import { PostOffice } from '../support/post-office.ts';
import { pause, until } from '../support/until.ts';

const missing = await missingServer('redis');

describe.skipIf(missing !== undefined)(`the exchange beside Redis${missing ? `: ${missing}` : ''}`, () => {
  let keys: TestKeys;
  let office: PostOffice;
  const open: { close(): void | Promise<void> }[] = [];

  beforeAll(async () => {
    keys = await createTestKeys();
  });

  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close();
  });

  afterAll(async () => {
    // Nothing is kept in Redis: there is nothing to remove.
    const client = createClient({ url: keys.url });
    await client.connect();
    expect(await client.keys(`${keys.keyPrefix}*`)).toEqual([]);
    client.destroy();
    await keys.remove();
  });

  async function start(name: string, url = keys.url): Promise<ExchangingProcess> {
    const { keyPrefix } = keys;
    const process = await ExchangingProcess.start({ name, url, other: office.exchange(), keyPrefix });
    open.push(process);
    return process;
  }

  /** Two processes that found each other at Redis. */
  async function pair(urls: { a?: string; b?: string } = {}): Promise<[ExchangingProcess, ExchangingProcess]> {
    office = new PostOffice();
    const a = await start('a', urls.a);
    const b = await start('b', urls.b);
    await until(() => a.exchange.reachesAllAtRedis && b.exchange.reachesAllAtRedis);
    await until(() => goesByRedis(a, b) && goesByRedis(b, a));
    office.carried.length = 0;
    return [a, b];
  }

  async function throughProxy(): Promise<FaultProxy> {
    const proxy = await FaultProxy.start(keys.url);
    open.push(proxy);
    return proxy;
  }

  function goesByRedis(from: ExchangingProcess, to: ExchangingProcess): boolean {
    const before = office.carried.length;
    from.exchange.send(PROBE, to.name);
    return office.carried.length === before;
  }

  it('carries letters to one and to all in their order, and nothing the other way', async () => {
    const [a, b] = await pair();
    for (let n = 1; n <= 200; n++) a.exchange.send({ n }, n % 3 === 0 ? undefined : 'b');
    b.exchange.send({ n: 1 });
    await until(() => b.received.length === 200 && a.received.length === 1);
    expect(b.numbersFrom('a')).toEqual(Array.from({ length: 200 }, (_, at) => at + 1));
    expect(office.carried).toEqual([]);
  });

  it('takes a letter of the largest size either way and refuses a larger one', async () => {
    const [a, b] = await pair();
    const largest = 'x'.repeat(LETTER_BYTES_MAX - 2);
    expect(() => a.exchange.send(`${largest}x`, 'b')).toThrow(TypeError);
    a.exchange.send(largest, 'b');
    await until(() => b.received.length === 1);
    a.link.close();
    a.exchange.send(largest, 'b');
    a.exchange.send(largest);
    await until(() => b.received.length === 3);
    expect(b.received.map(({ letter }) => letter)).toEqual([largest, largest, largest]);
  });

  it('writes to a process without Redis the other way, and hears it', async () => {
    const [a, b] = await pair();
    const plain = office.exchange();
    const heard: unknown[] = [];
    plain.receive('plain', (letter, from) => {
      if (!(letter instanceof Object && 'besideRedis' in letter)) heard.push([from, letter]);
    });
    plain.send({ n: 1 });
    await until(() => a.received.length === 1 && b.received.length === 1);
    expect([a, b].map(({ exchange }) => exchange.reachesAllAtRedis)).toEqual([false, false]);
    a.exchange.send({ n: 1 });
    a.exchange.send({ n: 2 }, 'plain');
    b.exchange.send({ n: 1 }, 'a');
    await until(() => heard.length === 2 && b.received.length === 2 && a.received.length === 2);
    expect(heard).toEqual([
      ['a', { n: 1 }],
      ['a', { n: 2 }],
    ]);
    // To it alone: b has Redis.
    expect(office.carried.filter((letter) => JSON.stringify(letter) === '{"n":1}')).toHaveLength(2);
  });

  it('goes on the other way while one process has lost Redis, keeps the order, and comes back', async () => {
    const proxy = await throughProxy();
    const [a, b] = await pair({ b: proxy.url });
    let n = 0;
    const send = () => {
      n++;
      a.exchange.send({ n }, n % 2 === 0 ? 'b' : undefined);
      b.exchange.send({ n }, n % 2 === 1 ? 'a' : undefined);
    };
    for (let round = 0; round < 3; round++) {
      proxy.refuse(true);
      proxy.reset();
      for (let at = 0; at < 40; at++) {
        send();
        await pause(2);
      }
      await until(() => !b.link.state.isUp);
      // What is sent once both know must arrive.
      await until(() => !a.exchange.reachesAllAtRedis && !b.exchange.reachesAllAtRedis);
      const from = n + 1;
      for (let at = 0; at < 10; at++) send();
      await until(() => b.numbersFrom('a').at(-1) === n && a.numbersFrom('b').at(-1) === n);
      for (const numbers of [b.numbersFrom('a'), a.numbersFrom('b')]) {
        expect(numbers.filter((number) => number >= from)).toHaveLength(10);
      }
      proxy.heal();
      await until(() => goesByRedis(a, b) && goesByRedis(b, a));
      for (let at = 0; at < 40; at++) {
        send();
        await pause(2);
      }
    }
    await until(() => b.numbersFrom('a').at(-1) === n && a.numbersFrom('b').at(-1) === n);
    for (const numbers of [b.numbersFrom('a'), a.numbersFrom('b')]) {
      expect(numbers).toEqual([...new Set(numbers)].sort((x, y) => x - y));
    }
  });

  it('finds a connection that is silently dead, and takes nothing later that was said over it', async () => {
    const proxy = await throughProxy();
    const [a, b] = await pair({ a: proxy.url });
    proxy.set({ blackHole: true }, 'up');
    a.exchange.send({ n: 1 }, 'b');
    const cutAtMs = performance.now();
    await until(() => !a.link.state.isUp);
    expect(performance.now() - cutAtMs).toBeLessThan(4_000);
    expect(a.link.state).toMatchObject({ reason: 'Redis does not answer.' });
    a.exchange.send({ n: 2 }, 'b');
    await until(() => b.numbersFrom('a').includes(2));
    proxy.heal();
    await until(() => a.link.state.isUp);
    await until(() => goesByRedis(a, b));
    a.exchange.send({ n: 3 }, 'b');
    await until(() => b.numbersFrom('a').includes(3));
    expect(b.numbersFrom('a')).toEqual([2, 3]);
  });

  /** If it failed, a process that speaks and hears nothing would be sent letters there for ever: its beats say that it is well. */
  it('finds a connection that is deaf, is written to the other way meanwhile, and hears again on a new one', async () => {
    const proxy = await throughProxy();
    const [a, b] = await pair({ b: proxy.url });
    proxy.set({ blackHole: true }, 'down');
    const deafAtMs = performance.now();
    // It is heard still, and so takes letters at Redis, as far as the other one knows.
    b.exchange.send({ n: 1 }, 'a');
    await until(() => a.numbersFrom('b').includes(1));
    a.exchange.send({ n: 1 }, 'b');
    await until(() => !b.link.state.isUp);
    expect(performance.now() - deafAtMs).toBeLessThan(4_000);
    expect(b.link.state).toMatchObject({ reason: 'Redis does not answer.' });
    await until(() => !goesByRedis(a, b));
    a.exchange.send({ n: 2 }, 'b');
    a.exchange.send({ n: 3 });
    await until(() => b.numbersFrom('a').includes(3));
    expect([b.numbersFrom('a'), a.link.state.isUp]).toEqual([[2, 3], true]);
    const { accepted } = proxy.counts;
    await until(() => proxy.counts.accepted > accepted);
    expect(b.link.state.isUp).toBe(false);

    proxy.heal();
    await until(() => goesByRedis(a, b));
    a.exchange.send({ n: 4 }, 'b');
    await until(() => b.numbersFrom('a').includes(4));
    // What waited on the connection that was given up is heard by nobody.
    expect([b.numbersFrom('a'), b.link.losses]).toEqual([[2, 3, 4], 1]);
    await until(() => proxy.counts.open === 1);
  });

  it('finds processes that are connected to another Redis', async () => {
    office = new PostOffice();
    await using another = await startRedis();
    const a = await start('a');
    const b = await start('b', another.url);
    await until(() => !a.exchange.reachesAllAtRedis && !b.exchange.reachesAllAtRedis);
    a.exchange.send({ n: 1 });
    b.exchange.send({ n: 1 }, 'a');
    await until(() => b.received.length === 1 && a.received.length === 1);
    expect([a.link.state.isUp, b.link.state.isUp]).toEqual([true, true]);
    b.close();
  });

  it('takes no notice of what others say at its places', async () => {
    const [a, b] = await pair();
    const client = createClient({ url: keys.url });
    await client.connect();
    const strange = [
      '',
      'null',
      '{}',
      '[]',
      '["letter"]',
      '["letter","x","a","1",{}]',
      '["beat","x",7]',
      '["beat","x","y","z"]',
      '["changed"]',
    ];
    for (const text of strange) {
      await client.publish(`${keys.keyPrefix}all`, text);
      await client.publish(`${keys.keyPrefix}to:b`, text);
    }
    client.destroy();
    a.exchange.send({ n: 1 }, 'b');
    await until(() => b.received.length === 1);
    expect([b.changes, b.exchange.reachesAllAtRedis]).toEqual([0, true]);
  });

  it('takes a process that comes again under its name for a new one', async () => {
    const [a, b] = await pair();
    for (let n = 1; n <= 5; n++) b.exchange.send({ n }, 'a');
    await until(() => a.received.length === 5);
    b.close();
    const again = await start('b');
    await until(() => goesByRedis(again, a));
    again.exchange.send({ n: 6 }, 'a');
    await until(() => a.numbersFrom('b').includes(6));
  });
});

it('has a server to test with, or says why not', async () => {
  expect(missing === undefined || 'missing' in (await sharedServer('redis'))).toBe(true);
});
