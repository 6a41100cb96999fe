import { describe, expect, it } from 'vitest';
import { TestEventCollector } from '../src/test-event-collector.ts';
import { VirtualTime } from '../src/virtual-time.ts';

const created = { type: 'order.created', n: 1 };
const paid = { type: 'order.paid', n: 2 };

describe('TestEventCollector', () => {
  it('waits for a number of events, those before the call included', async () => {
    const collector = new TestEventCollector<typeof created>();
    collector.handler(created);
    const waiting = collector.waitFor(2);
    collector.handler(paid);
    expect(await waiting).toEqual([created, paid]);
    expect(await collector.waitFor(1)).toEqual([created, paid]);
  });

  it('waits for an event that the predicate accepts', async () => {
    const collector = new TestEventCollector<typeof created>();
    const waiting = collector.waitFor((event) => event.n === 2);
    collector.handler(created);
    collector.handler(paid);
    expect(await waiting).toBe(paid);
  });

  it('gives up when it was told to and says what came instead', async () => {
    const time = new VirtualTime();
    const collector = new TestEventCollector();
    collector.handler(created);
    const waiting = collector.waitFor(2, { timeoutMs: 1000, timers: time });
    const checked = expect(waiting).rejects.toThrow('Waited 1000 ms for 2 events. 1 events came: order.created.');
    await time.advance(1000);
    await checked;
  });

  it('leaves no timer behind', async () => {
    const time = new VirtualTime();
    const collector = new TestEventCollector();
    const waiting = collector.waitFor(1, { timers: time });
    collector.handler(created);
    await waiting;
    await collector.waitFor(1, { timers: time });
    expect(time.pending).toBe(0);
  });

  it('asserts what was emitted, how often, and what was not', () => {
    const collector = new TestEventCollector<typeof created>();
    for (const event of [created, paid, paid]) collector.handler(event);
    expect(collector.assertEventEmitted('order.created')).toBe(created);
    expect(collector.assertEventEmitted('order.paid', { times: 2 })).toBe(paid);
    collector.assertEventEmitted((event) => event.n === 2);
    expect(() => collector.assertEventEmitted('order.lost')).toThrow(
      'Expected at least 1 events of type order.lost, got 0',
    );
    expect(() => collector.assertEventEmitted('order.paid', { times: 1 })).toThrow('Expected 1 events');
    collector.assertNoEventEmitted('order.lost');
    expect(() => collector.assertNoEventEmitted('order.paid')).toThrow('Expected none');
    collector.clear();
    expect(collector.events).toEqual([]);
  });
});
