import { getEventListeners } from 'node:events';
import { Signal } from '@event-manager/core';
import { expect, it } from 'vitest';

type Numbers = { readonly [name: string]: number };

it('iterates over what is emitted from the moment of asking, read or not', async () => {
  const signal = new Signal<Numbers>();
  const events = signal.events('a.*');
  signal.emit('a.b', 1);
  signal.emit('b', 2);
  const waiting = Promise.all([events.next(), events.next()]);
  signal.emit('a.c', 3);
  expect((await waiting).map(({ value }) => value)).toEqual([
    { name: 'a.b', payload: 1 },
    { name: 'a.c', payload: 3 },
  ]);
  await events.return();
});

it('ends with its loop, and listens no longer', async () => {
  const signal = new Signal<Numbers>();
  const seen: number[] = [];
  const events = signal.events('a');
  for (const n of [1, 2, 3]) signal.emit('a', n);
  for await (const { payload } of events) {
    seen.push(payload);
    if (payload === 2) break;
  }
  expect(seen).toEqual([1, 2]);
  expect(signal.listenerCount()).toBe(0);
  expect(await events.next()).toEqual({ value: undefined, done: true });
});

it('ends when it is aborted, after what was emitted before', async () => {
  const signal = new Signal<Numbers>();
  const abort = new AbortController();
  const seen: number[] = [];
  const events = signal.events('a', { signal: abort.signal });
  signal.emit('a', 1);
  abort.abort();
  signal.emit('a', 2);
  for await (const { payload } of events) seen.push(payload);
  expect(seen).toEqual([1]);
  const late = signal.events('a', { signal: abort.signal });
  expect(await late.next()).toEqual({ value: undefined, done: true });
  const waiting = new AbortController();
  await using pending = signal.events('a', { signal: waiting.signal });
  const next = pending.next();
  waiting.abort();
  expect(await next).toEqual({ value: undefined, done: true });
  expect(signal.listenerCount()).toBe(0);
});

it('tells a reader that is too slow instead of leaving something out', async () => {
  const signal = new Signal<Numbers>();
  const events = signal.events('a', { bufferMax: 2 });
  for (const n of [1, 2, 3, 4]) signal.emit('a', n);
  expect([(await events.next()).value?.payload, (await events.next()).value?.payload]).toEqual([1, 2]);
  await expect(events.next()).rejects.toMatchObject({ code: 'overloaded', details: { limit: 2 } });
  expect(signal.listenerCount()).toBe(0);
});

it.each(['left', 'overloaded', 'closed'])('keeps nothing at a signal once it is over: %s', async (how) => {
  const signal = new Signal<Numbers>();
  const { signal: ofProcess } = new AbortController();
  const events = signal.events('a', { signal: ofProcess, bufferMax: 1 });
  expect(getEventListeners(ofProcess, 'abort')).not.toHaveLength(0);
  if (how === 'left') await events.return();
  else if (how === 'closed') signal.close();
  else for (const n of [1, 2]) signal.emit('a', n);
  expect(getEventListeners(ofProcess, 'abort')).toHaveLength(0);
});

it('refuses a bound that is none', () => {
  const signal = new Signal<Numbers>();
  expect(() => signal.events('a', { bufferMax: Number.NaN })).toThrow(TypeError);
  expect(signal.listenerCount()).toBe(0);
});
