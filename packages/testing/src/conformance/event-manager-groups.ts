import type { EventHandler, EventManager, SubscribeRequest, Subscription } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';
import { until } from './until.ts';

const EVENT = { type: 'order.created', source: 'shop' };

/** One handler of a group, and what it was given. */
class Member {
  readonly taken: { id: string; attempt: number }[] = [];
  #release: () => void = () => {};
  #isHolding = false;

  readonly handler: EventHandler = async ({ id }, { attempt }) => {
    this.taken.push({ id, attempt });
    if (this.#isHolding) await this.#held.promise;
  };

  #held = Promise.withResolvers<void>();

  /** From now on what it is given is not finished until `letGo`. */
  hold(): void {
    this.#isHolding = true;
    this.#held = Promise.withResolvers<void>();
    this.#release = this.#held.resolve;
  }

  letGo(): void {
    this.#isHolding = false;
    this.#release();
  }

  join(events: EventManager, more: Partial<SubscribeRequest> = {}): Promise<Subscription> {
    return events.subscribe({ name: 'workers', topic: '#', handler: this.handler, ...more });
  }

  get ids(): string[] {
    return this.taken.map(({ id }) => id);
  }
}

async function publishMany(events: EventManager, count: number): Promise<string[]> {
  const { results } = await events.publishBatch(Array.from({ length: count }, () => EVENT));
  return results.map((result) => (result as { id: string }).id);
}

/** Several handlers under one name share what it is owed. */
export function groupsConformance(start: StartEventManager): void {
  describe('groups', () => {
    sharing(start);
    leaving(start);
  });
}

function sharing(start: StartEventManager): void {
  it('share the events of one name: each goes to one member, and every member has some', async () => {
    const { events } = await start();
    const [first, second] = [new Member(), new Member()];
    const one = await first.join(events);
    const two = await second.join(events);
    expect(two.id).toBe(one.id);
    const { status } = await events.getSubscription(one.id);
    expect(status.members).toBe(2);
    const published = await publishMany(events, 20);
    await until('all arrive', () => first.taken.length + second.taken.length >= 20);
    expect([...first.ids, ...second.ids].sort()).toEqual([...published].sort());
    expect(first.taken.length).toBeGreaterThan(4);
    expect(second.taken.length).toBeGreaterThan(4);
  });

  it('leave a slow member with what it has, and give the rest to the others', async () => {
    const { events } = await start();
    const [slow, fast] = [new Member(), new Member()];
    slow.hold();
    await slow.join(events, { options: { maxConcurrency: 1 } });
    await fast.join(events, { options: { maxConcurrency: 1 } });
    // In memory publishing waits for the first attempt, too.
    const published = publishMany(events, 12);
    await until('the fast one has the rest', () => fast.taken.length === 11);
    expect(slow.taken).toHaveLength(1);
    slow.letGo();
    expect([...slow.ids, ...fast.ids].sort()).toEqual([...(await published)].sort());
  });

  it('refuse who asks for something else', async () => {
    const { events } = await start();
    await new Member().join(events);
    const refused = new Member().join(events, { filter: { sources: ['shop'] } });
    await expect(refused).rejects.toMatchObject({ code: 'subscription_conflict', details: { pointer: '/name' } });
  });
}

function leaving(start: StartEventManager): void {
  it('go on without a member that left, which finishes what it has', async () => {
    const { events } = await start();
    const [leaver, stayer] = [new Member(), new Member()];
    leaver.hold();
    const handle = await leaver.join(events, { options: { maxConcurrency: 1 } });
    await stayer.join(events, { options: { maxConcurrency: 1 } });
    const first = publishMany(events, 2);
    await until('both have one', () => leaver.taken.length === 1 && stayer.taken.length === 1);
    const left = handle.detach();
    await until('it is gone', async () => (await events.getSubscription(handle.id)).status.members === 1);
    const second = publishMany(events, 4);
    await until('the other one has the rest', () => stayer.taken.length === 5);
    leaver.letGo();
    await left;
    const published = [...(await first), ...(await second)];
    expect([...leaver.ids, ...stayer.ids].sort()).toEqual(published.sort());
    expect([...leaver.taken, ...stayer.taken].every(({ attempt }) => attempt === 1)).toBe(true);
    expect((await events.getSubscription(handle.id)).status.members).toBe(1);
    expect(await events.listDeadLetters()).toEqual([]);
  });

  it('are left with `await using`, one handle at a time; what nobody is there for waits', async () => {
    const { events } = await start();
    const [first, second] = [new Member(), new Member()];
    let id: string;
    {
      await using one = await first.join(events);
      id = one.id;
      {
        await using _two = await second.join(events);
      }
      const published = await publishMany(events, 3);
      await until('they arrive', () => first.taken.length === 3);
      expect(first.ids).toEqual(published);
      expect(second.taken).toEqual([]);
    }
    const waiting = await publishMany(events, 2);
    expect((await events.getSubscription(id)).status.members).toBe(0);
    const late = new Member();
    await late.join(events);
    await until('what waited arrives', () => late.taken.length === 2);
    expect(late.ids).toEqual(waiting);
  });

  it('end for all members when the subscription ends', async () => {
    const { events } = await start();
    const [first, second] = [new Member(), new Member()];
    await first.join(events);
    const handle = await second.join(events);
    await handle.unsubscribe();
    await publishMany(events, 2);
    expect(await events.listSubscriptions()).toEqual([]);
    expect([first.taken, second.taken]).toEqual([[], []]);
  });

  it('are left by all members of a program with `detach`', async () => {
    const { events } = await start();
    const members = [new Member(), new Member()];
    let id = '';
    for (const member of members) id = (await member.join(events)).id;
    await events.detach(id);
    await publishMany(events, 2);
    expect((await events.getSubscription(id)).status).toMatchObject({ members: 0 });
    expect(members.flatMap(({ taken }) => taken)).toEqual([]);
  });
}
