import { getEventListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BUS_WARNING, Signal } from '@event-manager/core';
import { expect, it } from 'vitest';

type Numbers = { readonly [name: string]: number };

function recorded() {
  const seen: unknown[] = [];
  return { seen, listener: (payload: number, name: string) => void seen.push([name, payload]) };
}

it('calls listeners at once, in the order in which they came, by name and by pattern', () => {
  const signal = new Signal<Numbers>();
  const seen: string[] = [];
  for (const pattern of ['a.b', 'a/b', 'a.*', '+.b', '#', '*', 'a', 'b']) signal.on(pattern, () => seen.push(pattern));
  signal.onAny(() => seen.push('any'));
  expect(signal.emit('a.b', 1)).toBe(true);
  expect(seen).toEqual(['a.b', 'a/b', 'a.*', '+.b', '#', '*', 'any']);
  expect(signal.listenerCount('a/b')).toBe(7);
  expect(signal.listenerCount()).toBe(9);
  expect(new Signal<Numbers>().emit('a.b', 1)).toBe(false);
});

it('takes listeners away by their end, by name, by using and by a signal', () => {
  const signal = new Signal<Numbers>();
  const { seen, listener } = recorded();
  const off = signal.on('a', listener);
  off();
  off();
  signal.on('a', listener);
  signal.on('a', listener);
  signal.off('a', () => {});
  signal.emit('a', 1);
  signal.off('a', listener);
  signal.on('b.c', listener);
  signal.off('b/c');
  {
    using _listening = signal.on('d', listener);
    signal.emit('d', 2);
  }
  const abort = new AbortController();
  signal.on('e', listener, { signal: abort.signal });
  signal.emit('e', 3);
  abort.abort();
  signal.on('e', listener, { signal: abort.signal });
  for (const name of ['a', 'b.c', 'd', 'e']) signal.emit(name, 9);
  expect(seen).toEqual([
    ['a', 1],
    ['a', 1],
    ['d', 2],
    ['e', 3],
  ]);
  expect(signal.listenerCount()).toBe(0);
});

it('calls one of once a single time, also when it emits its own name', () => {
  const signal = new Signal<Numbers>();
  const { seen, listener } = recorded();
  signal.on('a', (payload) => payload < 3 && signal.emit('a', payload + 1));
  signal.once('a', listener);
  signal.emit('a', 1);
  expect(seen).toEqual([['a', 3]]);
  expect(signal.listenerCount('a')).toBe(1);
});

it('walks the listeners that were there when it began', () => {
  const signal = new Signal<Numbers>();
  const { seen, listener } = recorded();
  signal.once('a', () => {
    signal.on('a', listener);
  });
  signal.emit('a', 1);
  expect(seen).toEqual([]);
  signal.emit('a', 2);
  expect(seen).toEqual([['a', 2]]);
});

it('keeps what a listener throws from the others and from whoever emits, and tells it once', async () => {
  const told: unknown[] = [];
  const signal = new Signal<Numbers>({ onError: (error, name) => told.push([String(error), name]) });
  const { seen, listener } = recorded();
  signal.on('a', () => {
    throw new RangeError('at once');
  });
  signal.on('a', async () => {
    throw new RangeError('later');
  });
  signal.on('a', listener);
  expect(signal.emit('a', 1)).toBe(true);
  await signal.emitAsync('a', 2);
  expect(seen).toEqual([
    ['a', 1],
    ['a', 2],
  ]);
  expect(told.toSorted()).toEqual([
    ['RangeError: at once', 'a'],
    ['RangeError: at once', 'a'],
    ['RangeError: later', 'a'],
    ['RangeError: later', 'a'],
  ]);
});

it('waits for what the listeners promised', async () => {
  const signal = new Signal<Numbers>();
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  for (const gate of gates) signal.on('a', () => gate.promise);
  let isOver = false;
  const emitted = signal.emitAsync('a', 1).then(() => {
    isOver = true;
  });
  gates[0]!.resolve();
  await Promise.resolve();
  expect(isOver).toBe(false);
  gates[1]!.resolve();
  await emitted;
});

it('warns of what a listener throws where nobody else is told, and of one that tells and throws', async () => {
  const thrower = () => {
    throw new RangeError('at once');
  };
  const onError = () => {
    throw new RangeError('told badly');
  };
  const warnings = await warningsOf(() => {
    for (const signal of [new Signal<Numbers>(), new Signal<Numbers>({ onError })]) {
      signal.on('a', thrower);
      signal.emit('a', 1);
    }
  });
  expect(warnings).toEqual([
    expect.stringContaining('"a" failed: RangeError: at once'),
    expect.stringContaining('"a" failed: RangeError: told badly'),
  ]);
});

it('warns once of a name with too many listeners, and names the last one', async () => {
  const signal = new Signal<Numbers>({ maxListeners: 2 });
  const add = (name: string, count: number) => {
    for (let at = 0; at < count; at++) signal.on(name, function onOrder() {});
  };
  expect(await warningsOf(() => ['a', 'b'].map((name) => add(name, 2)))).toEqual([]);
  const warned = expect.stringMatching(/3 listeners of "a".* onOrder/);
  expect(await warningsOf(() => add('a', 3))).toEqual([warned]);
  const unlimited = new Signal<Numbers>({ maxListeners: 0 });
  expect(await warningsOf(() => Array.from({ length: 50 }, () => unlimited.on('a', () => {})))).toEqual([]);
});

it('refuses what is no pattern and no function', () => {
  const signal = new Signal<Numbers>();
  expect(() => signal.on('a*', () => {})).toThrow(expect.objectContaining({ code: 'invalid_pattern' }));
  expect(() => signal.on('a', undefined as never)).toThrow(TypeError);
});

it('remembers a bounded number of names', () => {
  const signal = new Signal<Numbers>();
  const { seen, listener } = recorded();
  signal.on('a.*', listener);
  for (let at = 0; at < 25_000; at++) signal.emit(`a.${at}`, at);
  expect(seen).toHaveLength(25_000);
  const [name] = seen.at(-1) as [string];
  expect(name).toBe('a.24999');
});

it('adds, calls and takes away a listener as fast beside thousands of others', () => {
  const signal = new Signal<Numbers>({ maxListeners: 0 });
  let calls = 0;
  const offs = Array.from({ length: 20_000 }, (_, at) => signal.on(`a.${at}`, () => calls++));
  for (let at = 0; at < 20_000; at++) signal.once(`b.${at}`, () => calls++);
  for (let at = 0; at < 20_000; at++) signal.emit(`b.${at}`, at);
  for (let at = 0; at < 20_000; at++) offs.push(signal.on(`c.${at}.*`, () => calls++));
  signal.emit('c/7.x', 1);
  for (const off of offs) off();
  // In time that grows with the square of these, the test would be over its limit.
  expect([calls, signal.listenerCount()]).toEqual([20_001, 0]);
}, 5_000);

it('ends thousands of listeners by one signal as fast, and is kept by none of them afterwards', () => {
  const signal = new Signal<Numbers>({ maxListeners: 0 });
  const abort = new AbortController();
  const offs = Array.from({ length: 80_000 }, (_, at) => signal.on(`a.${at % 100}`, () => {}, abort));
  expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1);
  for (const off of offs.slice(40_000).reverse()) off();
  abort.abort();
  expect(signal.listenerCount()).toBe(0);
  const another = new AbortController();
  for (const off of [signal.on('a', () => {}, another), signal.once('a', () => {}, another)]) off();
  expect(getEventListeners(another.signal, 'abort')).toHaveLength(0);
}, 5_000);

it('hears of changes under every spelling of a name', () => {
  const signal = new Signal<Numbers>();
  const { seen, listener } = recorded();
  const spellings = ['a.b.c', 'a/b/c', 'a.b/c'];
  const emit = () => spellings.map((name) => signal.emit(name, 1));
  expect(emit()).toEqual([false, false, false]);
  const off = signal.on('a.b/c', listener);
  expect(emit()).toEqual([true, true, true]);
  off();
  expect(emit()).toEqual([false, false, false]);
  expect(seen).toEqual(spellings.map((name) => [name, 1]));
});

it('lets everybody go when it is closed', async () => {
  const signal = new Signal<Numbers>();
  const { seen, listener } = recorded();
  const abort = new AbortController();
  signal.on('a', listener, { signal: abort.signal });
  const read: unknown[] = [];
  const events = signal.events('#');
  const reading = (async () => {
    for await (const { payload } of events) read.push(payload);
  })();
  signal.emit('a', 1);
  signal.close();
  await reading;
  signal.on('a', listener);
  expect(signal.emit('a', 2)).toBe(false);
  expect(signal.listenerCount()).toBe(0);
  expect(await signal.events('a').next()).toEqual({ value: undefined, done: true });
  expect([seen, read]).toEqual([[['a', 1]], [1]]);
});

/** Those of a bus, until the turn of the loop in which the process tells them is over. */
async function warningsOf(run: () => unknown): Promise<readonly string[]> {
  const told: string[] = [];
  const take = ({ name, message }: Error) => {
    if (name === BUS_WARNING) told.push(message);
  };
  process.on('warning', take);
  run();
  await nextTurn();
  process.off('warning', take);
  return told;
}
