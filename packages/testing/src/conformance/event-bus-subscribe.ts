import { describe, expect, it } from 'vitest';
import type { StartEventBus } from './event-bus-subject.ts';
import { until } from './until.ts';

export function busSubscribeConformance(start: StartEventBus): void {
  describe('subscribing', () => {
    beginAndEnd(start);
    severalOfThem(start);
    signals(start);
  });
}

function beginAndEnd(start: StartEventBus): void {
  it('owes what is published from then on, and nothing more after the end', async () => {
    const bus = (await start()).bus();
    const seen: number[] = [];
    await bus.publish('orders', 'order.placed', { number: 1 });
    const id = await bus.subscribe('orders', ({ payload }) => void seen.push(payload.number));
    const other = await bus.subscribe('orders', () => {});
    expect(other).not.toBe(id);
    await bus.publish('orders', 'order.placed', { number: 2 });
    await until('it arrives', () => seen.length === 1);
    await bus.unsubscribe(id);
    await bus.publish('orders', 'order.placed', { number: 3 });
    await bus.settled();
    expect(seen).toEqual([2]);
  });

  it('refuses to end what is not there, twice among it', async () => {
    const bus = (await start()).bus();
    const missing = { code: 'subscription_not_found' };
    await expect(bus.unsubscribe('nobody')).rejects.toMatchObject(missing);
    const id = await bus.subscribe('orders', () => {});
    await bus.unsubscribe(id);
    await expect(bus.unsubscribe(id)).rejects.toMatchObject(missing);
  });

  it('refuses what is no handler, no pattern and no option', async () => {
    const bus = (await start()).bus();
    await expect(bus.subscribe('orders', undefined as never)).rejects.toThrow(TypeError);
    await expect(bus.subscribe('a..b', () => {})).rejects.toMatchObject({ code: 'invalid_pattern' });
    const misspelt = bus.subscribe('orders', () => {}, { maxRetrys: 1 } as object);
    await expect(misspelt).rejects.toMatchObject({ code: 'invalid_subscription' });
  });
}

function severalOfThem(start: StartEventBus): void {
  it.each([
    ['orders', ['orders']],
    ['orders.*', ['orders.eu', 'orders/eu/berlin']],
    ['+.eu', ['orders.eu']],
    ['*', ['orders', 'orders.eu', 'orders/eu/berlin', 'Orders']],
  ])('matches %s by levels, whatever separates them', async (pattern, wanted) => {
    const bus = (await start()).bus();
    const seen: string[] = [];
    await bus.subscribe(pattern, ({ topic }) => void seen.push(topic), { maxConcurrency: 1 });
    for (const topic of ['orders', 'orders.eu', 'orders/eu/berlin', 'Orders']) await bus.publish(topic, 'placed', {});
    await bus.settled();
    expect(seen).toEqual(wanted);
  });

  it('gives each subscription every event, whatever becomes of it at another one', async () => {
    const bus = (await start()).bus();
    const seen: number[] = [];
    const refuse = () => {
      throw new TypeError('never');
    };
    await bus.subscribe('orders', refuse, { maxRetries: 0 });
    await bus.subscribe('orders', ({ payload }) => void seen.push(payload.number), { maxConcurrency: 1 });
    for (let number = 0; number < 5; number++) await bus.publish('orders', 'order.placed', { number });
    await bus.settled();
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  it('gives what its filter lets through', async () => {
    const bus = (await start()).bus();
    const seen: string[] = [];
    const filter = { types: ['issue.state.*'], metadata: { userId: 'admin' } };
    await bus.subscribe('all.events', ({ type }) => void seen.push(type), { filter });
    for (const userId of ['admin', 'guest']) {
      for (const type of ['issue.state.changed', 'issue.created']) {
        await bus.publish('all.events', type, {}, { metadata: { userId } });
      }
    }
    await bus.settled();
    expect(seen).toEqual(['issue.state.changed']);
  });
}

function signals(start: StartEventBus): void {
  it('hears nothing of what is emitted, and listeners hear nothing of what is published', async () => {
    const bus = (await start()).bus();
    const seen: unknown[] = [];
    await bus.subscribe('#', ({ type }) => void seen.push(['subscription', type]));
    bus.on('*', (_payload, name) => void seen.push(['listener', name]));
    expect(bus.emit('order.emitted', {})).toBe(true);
    await bus.publish('order.published', 'order.published', {});
    await bus.settled();
    expect(seen).toEqual([
      ['listener', 'order.emitted'],
      ['subscription', 'order.published'],
    ]);
    expect(await bus.eventManager.getEvents()).toHaveLength(1);
  });
}
