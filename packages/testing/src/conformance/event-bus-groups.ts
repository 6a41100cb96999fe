import type { EventBus, Supports } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventBus } from './event-bus-subject.ts';
import { until } from './until.ts';

const GROUP = { consumerGroup: 'order-processors' };
const EVENTS = 24;

class Workers {
  /** Numbers of events by who took them. */
  readonly taken = new Map<string, number[]>();

  join(bus: EventBus, who: string): Promise<string> {
    this.taken.set(who, []);
    return bus.subscribe('orders', ({ payload }) => void this.taken.get(who)!.push(payload.number), GROUP);
  }

  get all(): number[] {
    return [...this.taken.values()].flat().sort((a, b) => a - b);
  }
}

async function publishMany(bus: EventBus): Promise<readonly number[]> {
  const numbers = Array.from({ length: EVENTS }, (_, number) => number);
  for (const number of numbers) await bus.publish('orders', 'order.placed', { number });
  return numbers;
}

export function busGroupsConformance(start: StartEventBus, { shared }: Supports): void {
  describe('consumer groups', () => {
    inOneProcess(start);
    it.runIf(shared)('are shared by the members of several processes', async () => {
      const place = await start();
      const [first, second] = [place.bus(), place.bus()];
      const workers = new Workers();
      await workers.join(first, 'first');
      await workers.join(second, 'second');
      const id = (await first.eventManager.listSubscriptions())[0]!.id;
      const members = async () => (await first.eventManager.getSubscription(id)).status.members;
      await until('both are known', async () => (await members()) === 2);
      const numbers = await publishMany(first);
      await until('all arrive', () => workers.all.length >= EVENTS);
      expect(workers.all).toEqual(numbers);
      for (const [who, taken] of workers.taken) expect(taken.length, who).toBeGreaterThan(0);
    });
  });
}

function inOneProcess(start: StartEventBus): void {
  it('share the events: each goes to one member, and every member has some', async () => {
    const bus = (await start()).bus();
    const workers = new Workers();
    const ids = [await workers.join(bus, 'first'), await workers.join(bus, 'second')];
    expect(new Set(ids).size).toBe(2);
    const numbers = await publishMany(bus);
    await until('all arrive', () => workers.all.length >= EVENTS);
    expect(workers.all).toEqual(numbers);
    for (const [who, taken] of workers.taken) expect(taken.length, who).toBeGreaterThan(0);
  });

  it('go on without a member that left', async () => {
    const bus = (await start()).bus();
    const workers = new Workers();
    const first = await workers.join(bus, 'first');
    await workers.join(bus, 'second');
    await bus.unsubscribe(first);
    const numbers = await publishMany(bus);
    await until('all arrive', () => workers.all.length >= EVENTS);
    expect(workers.taken.get('second')!.toSorted((a, b) => a - b)).toEqual(numbers);
  });

  it('outlive their members: what nobody was there for is waiting', async () => {
    const place = await start();
    const bus = place.bus();
    const workers = new Workers();
    const gone = await workers.join(bus, 'gone');
    await bus.unsubscribe(gone);
    const numbers = await publishMany(bus);
    const again = await place.restart(bus);
    await workers.join(again, 'late');
    await until('all arrive', () => workers.all.length >= EVENTS);
    expect(workers.taken.get('gone')).toEqual([]);
    expect(workers.all).toEqual(numbers);
  });
}
