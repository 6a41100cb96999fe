import { SeededChance, SimulatedShared, VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine.ts';
import type { EventManagerError } from '../../src/errors/event-manager-error.ts';
import { ANONYMOUS } from '../../src/principal.ts';
import { durableWorld, openMemory, openOn } from '../open-engine.ts';

const register = (engine: Engine, subscriber: string, context: object) =>
  engine.contexts.register(ANONYMOUS, subscriber, context);
const usersOf = (engine: Engine, subscriber: string) => {
  const found = engine.contexts.list(ANONYMOUS).find((context) => context.subscriber === subscriber);
  return found?.userIds;
};
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: EventManagerError) => `${error.code} at ${error.details.pointer}`,
  );

const longIds = (count: number) => Array.from({ length: count }, (_, n) => String(n).padStart(255, '0'));

describe('contexts', () => {
  it('outlive the process', async () => {
    const { open } = durableWorld();
    const first = await open();
    await first.time.run(register(first.engine, 'aas', { userIds: ['u1'] }));
    await first.time.run(register(first.engine, 'gone', { userIds: ['u1'] }));
    await first.time.run(first.engine.contexts.remove(ANONYMOUS, 'gone'));
    await first.close();
    const second = await open();
    expect(second.engine.contexts.list(ANONYMOUS).map(({ subscriber }) => subscriber)).toEqual(['aas']);
    const seen: string[] = [];
    await second.subscribe({
      subscriber: 'aas',
      filter: { userRelevant: true },
      handler: ({ metadata }) => void seen.push(String(metadata.userId)),
    });
    for (const userId of ['u2', 'u1']) await second.publish({ metadata: { userId } });
    await second.time.run(second.engine.settled());
    expect(seen).toEqual(['u1']);
  });

  it('are bounded in number and size, also when several come at once', async () => {
    const bus = await openMemory({ limits: { contextsMax: 2, contextEntriesMax: 3 } });
    const { engine } = bus;
    expect(await codeOf(register(engine, 'a', { userIds: ['1', '2'], projectIds: ['3', '4'] }))).toBe(
      'invalid_context at ',
    );
    expect(await codeOf(register((await openMemory()).engine, 'a', { userIds: longIds(258) }))).toBe(
      'invalid_context at ',
    );
    expect(await codeOf(register((await openMemory()).engine, 'a', { userIds: longIds(257) }))).toBe('none');
    const codes = await Promise.all(['a', 'b', 'c', 'd'].map((name) => codeOf(register(engine, name, { users: [] }))));
    expect(codes).toEqual(['none', 'none', 'too_many_contexts at undefined', 'too_many_contexts at undefined']);
    expect(await codeOf(register(engine, 'a', { userIds: ['1', '2', '3'] }))).toBe('none');
    await engine.contexts.remove(ANONYMOUS, 'b');
    expect(await codeOf(register(engine, 'c', { users: [] }))).toBe('none');
    expect(engine.contexts.count).toBe(2);
  });

  it.each(['', 'a\u0001', 'x'.repeat(256), 'half \ud800', '.', '..'])('have no subscriber %j', async (subscriber) => {
    const { engine } = await openMemory();
    expect(await codeOf(register(engine, subscriber, { userIds: [] }))).toBe('invalid_context at /subscriber');
  });

  it('are given in pages by name', async () => {
    const { engine } = await openMemory();
    for (const name of ['c', 'a', 'b']) await register(engine, name, { userIds: [] });
    const first = engine.contexts.page(ANONYMOUS, { limit: 2 });
    expect(first).toMatchObject({ contexts: [{ subscriber: 'a' }, { subscriber: 'b' }], next: 'b' });
    expect(engine.contexts.page(ANONYMOUS, { after: 'b', limit: 2 })).toMatchObject({
      contexts: [{ subscriber: 'c' }],
    });
    expect(engine.contexts.page(ANONYMOUS, { after: 'b', limit: 2 }).next).toBeUndefined();
  });

  it('decide of events that wait already: what is relevant is judged when it is claimed', async () => {
    const bus = await openMemory();
    const seen: string[] = [];
    const { id } = await bus.subscribe({
      name: 'assistant',
      subscriber: 'aas',
      filter: { userRelevant: true },
      handler: ({ metadata }) => void seen.push(String(metadata.userId)),
    });
    await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
    for (const userId of ['u1', 'u2']) await bus.publish({ metadata: { userId } });
    await register(bus.engine, 'aas', { userIds: ['u2'] });
    await bus.time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
    await bus.time.run(bus.engine.settled());
    expect(seen).toEqual(['u2']);
    expect(bus.status(id).counts).toMatchObject({ skipped: 1, delivered: 1 });
  });

  it('are seen by every process on the store, also when no hint arrives, and the latest wins everywhere', async () => {
    const time = new VirtualTime();
    const shared = new SimulatedShared({ time, chance: new SeededChance(7), hintLossShare: 1, stallShare: 0 });
    const one = await openOn(shared.connect(), time);
    const other = await openOn(shared.connect(), time);
    const later = () => time.run(new Promise<void>((resolve) => void time.after(2_000, resolve)));
    await time.run(register(one.engine, 'aas', { userIds: ['u1'] }));
    await later();
    expect(usersOf(other.engine, 'aas')).toEqual(['u1']);
    await time.run(
      Promise.all([
        register(one.engine, 'aas', { userIds: ['by one'] }),
        register(other.engine, 'aas', { userIds: ['by other'] }),
        register(other.engine, 'second', { userIds: ['u2'] }),
      ]),
    );
    await later();
    expect(usersOf(one.engine, 'aas')).toEqual(usersOf(other.engine, 'aas'));
    expect(usersOf(one.engine, 'second')).toEqual(['u2']);
    await time.run(other.engine.contexts.remove(ANONYMOUS, 'aas'));
    await later();
    expect(usersOf(one.engine, 'aas')).toBeUndefined();
    await Promise.all([one.close(), other.close()]);
  });
});
