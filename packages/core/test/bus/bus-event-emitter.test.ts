import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BUS_WARNING, BusEventEmitter, EventBus } from '@event-manager/core';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { keptBus } from './kept-bus.ts';

let bus: EventBus;

beforeEach(() => {
  bus = new EventBus();
});

afterEach(() => bus.close());

describe('as an emitter of Node', () => {
  const methods = Object.getOwnPropertyNames(EventEmitter.prototype).filter((name) => !/^_|^constructor$/.test(name));

  it.each(methods)('has %s, and it is that of Node', (name) => {
    const emitter = new BusEventEmitter(bus);
    expect(Reflect.get(emitter, name)).toBe(Reflect.get(EventEmitter.prototype, name));
  });

  it('is one, and does what one does', () => {
    const emitter = new BusEventEmitter(bus);
    expect(emitter).toBeInstanceOf(EventEmitter);
    const seen: unknown[] = [];
    emitter.on('newListener', (name) => seen.push(`new ${String(name)}`));
    emitter.prependListener('a', (...given) => seen.push(given));
    emitter.once('a', () => seen.push('once'));
    expect(emitter.emit('a', 1, 2)).toBe(true);
    emitter.emit('a', 3);
    expect(seen).toEqual(['new a', 'new a', [1, 2], 'once', [3]]);
    expect(emitter.eventNames()).toEqual(['newListener', 'a']);
    expect(() => emitter.emit('error', new TypeError('odd'))).toThrow('odd');
  });
});

describe('on the bus', () => {
  it('emits here at once and publishes, and each listener gets it once', async () => {
    const emitter = new BusEventEmitter(bus, { onPublishError: (error) => expect.unreachable(String(error)) });
    const here: unknown[] = [];
    const there: unknown[] = [];
    emitter.onEvent('project.created', (payload) => here.push(payload));
    await bus.subscribe('project.*', (event) => there.push(event.payload));
    expect(emitter.emitEvent('project.created', { projectId: '1' })).toBe(true);
    expect(here).toEqual([{ projectId: '1' }]);
    await emitter.flush();
    await bus.settled();
    expect(here).toHaveLength(1);
    expect(there).toEqual([{ projectId: '1' }]);
  });

  it('hears what others publish, on whatever topic, and no longer once it is taken away', async () => {
    const emitter = new BusEventEmitter(bus);
    const here: unknown[] = [];
    const listener = (payload: unknown) => here.push(payload);
    emitter.onEvent('project.created', listener);
    emitter.onEvent('project.created', listener);
    await emitter.flush();
    await bus.publish('project.events', 'project.created', { projectId: '2' });
    await bus.publish('project.events', 'project.deleted', { projectId: '2' });
    expect(here).toEqual([{ projectId: '2' }, { projectId: '2' }]);
    emitter.offEvent('project.created', listener);
    emitter.offEvent('project.created', listener);
    await bus.publish('project.events', 'project.created', { projectId: '3' });
    expect(here).toHaveLength(2);
    expect(bus.getMetrics()?.activeSubscriptions).toBe(0);
  });

  it('hears all types over one subscription, until the last listener is gone', async () => {
    const emitter = new BusEventEmitter(bus);
    const here: string[] = [];
    const types = Array.from({ length: 300 }, (_, n) => `type.${n}`);
    const listeners = types.map((type) => [type, () => here.push(type)] as const);
    for (const [type, listener] of listeners) emitter.onEvent(type, listener);
    await emitter.flush();
    expect(bus.getMetrics()?.activeSubscriptions).toBe(1);
    for (const [type] of listeners) await bus.publish('elsewhere', type);
    await bus.publish('elsewhere', 'type.300');
    expect(here).toEqual(types);
    for (const [type, listener] of listeners.slice(1)) emitter.offEvent(type, listener);
    await bus.publish('elsewhere', 'type.1');
    await bus.publish('elsewhere', 'type.0');
    expect(here.slice(300)).toEqual(['type.0']);
    emitter.offEvent(...listeners[0]!);
    await vi.waitUntil(() => bus.getMetrics()?.activeSubscriptions === 0);
    // And once more from the beginning.
    emitter.onEvent(...listeners[0]!);
    await emitter.flush();
    await bus.publish('elsewhere', 'type.0');
    expect(here.slice(301)).toEqual(['type.0']);
  });

  it('tells of a bus that takes no subscription, and tries again with the next listener', async () => {
    const told: string[] = [];
    const emitter = new BusEventEmitter(bus, { onPublishError: (_, type) => told.push(type) });
    await bus.close();
    emitter.onEvent('a', () => {});
    await expect(emitter.flush()).rejects.toMatchObject({ code: 'closed' });
    emitter.onEvent('b', () => {});
    await expect(emitter.flush()).rejects.toMatchObject({ code: 'closed' });
    expect(told).toEqual(['a', 'b']);
  });

  it('throws what a listener throws, and the event is on the bus all the same', async () => {
    const emitter = new BusEventEmitter(bus);
    emitter.onEvent('a', () => {
      throw new TypeError('odd');
    });
    expect(() => emitter.emitEvent('a', { n: 1 })).toThrow('odd');
    await emitter.flush();
    expect(await bus.eventManager.getEvents()).toHaveLength(1);
  });

  it('tells what the bus refuses, and forgets it', async () => {
    const told: unknown[] = [];
    const onPublishError = (error: unknown, type: string) => told.push([type, (error as { code: string }).code]);
    const emitter = new BusEventEmitter(bus, { onPublishError });
    emitter.onEvent('a', () => {});
    emitter.emitEvent('a', 'no object' as never);
    await emitter.flush();
    expect(told).toEqual([['a', 'invalid_event']]);
  });

  it('lets each listener hear each of a long burst once, and a replay once more', async () => {
    // So many in one turn are also more than may wait for the store.
    const emitter = new BusEventEmitter(bus, { onPublishError: () => {} });
    let calls = 0;
    emitter.onEvent('a', () => calls++);
    for (let n = 0; n < 12_000; n++) emitter.emitEvent('a', { n });
    await emitter.flush();
    await bus.settled();
    expect(calls).toBe(12_000);
    const [event] = await bus.eventManager.getEvents();
    await bus.deliverReplayed(event!, 'r-1', new AbortController().signal);
    expect(calls).toBe(12_001);
  });

  it('warns of refusals once for each code', async () => {
    const warnings: string[] = [];
    const take = ({ name, message }: Error) => {
      if (name === BUS_WARNING) warnings.push(message);
    };
    process.on('warning', take);
    const emitter = new BusEventEmitter(bus);
    for (let n = 0; n < 100; n++) emitter.emitEvent('a', 'no object' as never);
    await emitter.flush();
    await nextTurn();
    process.off('warning', take);
    expect(warnings).toEqual([expect.stringMatching(/"a": .*invalid_event.*onPublishError/s)]);
  });
});

it('tries again to hear the bus where it could not, and lives when nobody hears that', async () => {
  const unhandled: unknown[] = [];
  const hear = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', hear);
  onTestFinished(() => void process.off('unhandledRejection', hear));
  const full = keptBus({ limits: { subscriptionsMax: 1 } });
  const only = await full.subscribe('others', () => {});
  const told: string[] = [];
  const onPublishError = (_: unknown, type: string) => {
    told.push(type);
    throw new RangeError('told badly');
  };
  const emitter = new BusEventEmitter(full, { onPublishError });
  const heard: unknown[] = [];
  emitter.emitEvent('//', { n: 0 });
  emitter.onEvent('order', (payload) => void heard.push(payload));
  await expect(emitter.flush()).rejects.toMatchObject({ code: 'too_many_subscriptions' });
  await new Promise((resolve) => setImmediate(resolve));
  expect([told.toSorted(), unhandled]).toEqual([['//', 'order'], []]);
  await full.unsubscribe(only);
  emitter.onEvent('order', () => {});
  await emitter.flush();
  await full.publish('orders', 'order', { n: 1 });
  expect(heard).toEqual([{ n: 1 }]);
});

it('hears an event once, also while one subscription takes the place of another', async () => {
  const emitter = new BusEventEmitter(bus);
  const heard: unknown[] = [];
  const listener = (payload: unknown) => void heard.push(payload);
  emitter.onEvent('order', listener);
  await emitter.flush();
  const leave = bus.unsubscribe.bind(bus);
  const gate = Promise.withResolvers<void>();
  bus.unsubscribe = async (id) => gate.promise.then(() => leave(id));
  emitter.offEvent('order', listener);
  emitter.onEvent('order', listener);
  await emitter.flush();
  await bus.publish('orders', 'order', { n: 1 });
  gate.resolve();
  expect(heard).toEqual([{ n: 1 }]);
});
