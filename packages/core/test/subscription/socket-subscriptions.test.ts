import { ANONYMOUS, type Delivery, type LeftReason, type Outcome, type Sink } from '@event-manager/core';
import { SeededChance, SimulatedShared, VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { anEvent, durableWorld, type EngineUnderTest, openMemory, openOn } from '../open-engine.ts';

/** The way out through a connection: keeps what it is handed until the test answers. */
class Socket implements Sink {
  readonly held: { batch: readonly Delivery[]; answer: (status: 'delivered') => void }[] = [];
  readonly left: LeftReason[] = [];
  closes = 0;

  deliver(batch: readonly Delivery[]): Promise<Outcome[]> {
    return new Promise((resolve) => {
      this.held.push({ batch, answer: (status) => resolve(batch.map(() => ({ status }))) });
    });
  }

  async close(): Promise<void> {
    this.closes++;
  }

  get seen(): string[] {
    return this.held.flatMap(({ batch }) =>
      batch.map(({ record, attempt }) => `${JSON.parse(Buffer.from(record.body).toString()).payload.n}#${attempt}`),
    );
  }

  answerAll(): void {
    for (const { answer } of this.held) answer('delivered');
  }
}

function attach(bus: EngineUnderTest, socket: Socket, more: object = {}, member?: string) {
  const onLeft = (reason: LeftReason) => socket.left.push(reason);
  const request = { topic: '#', name: 's', ...more };
  return bus.time.run(bus.engine.subscriptions.subscribe(ANONYMOUS, request, { sink: socket, member, onLeft }));
}

function detach(bus: EngineUnderTest, id: string, options?: { sink?: Sink; drainMs?: number }) {
  return bus.time.run(bus.engine.subscriptions.detach(ANONYMOUS, id, options));
}

describe('a subscription through a socket', () => {
  it('is stored as one, with many deliveries under way, and refuses what would be another way out', async () => {
    const bus = await openMemory();
    const { id, sink, options } = await attach(bus, new Socket());
    expect(sink).toEqual({ kind: 'socket' });
    expect(options).toMatchObject({ maxConcurrency: 32, batchSize: 1, timeoutMs: 30_000 });
    await expect(attach(bus, new Socket(), { connectionType: 'websocket' })).resolves.toMatchObject({ id });
    for (const field of ['handler', 'endpoint', 'secret', 'headers']) {
      await expect(attach(bus, new Socket(), { name: 'o', [field]: 'x' })).rejects.toMatchObject({
        code: 'invalid_subscription',
        details: { pointer: `/${field}` },
      });
    }
    const changed = bus.engine.subscriptions.update(ANONYMOUS, id, { topic: 'order.*' });
    expect(await bus.time.run(changed)).toMatchObject({ topic: 'order.*', sink: { kind: 'socket' } });
  });

  it('releases without a failure what is under way when the socket is lost, and owes it to the next one', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const lost = new Socket();
    const { id } = await attach(bus, lost, { options: { retryPolicy: { maxRetries: 0 } } });
    await bus.publishMany(3);
    await bus.time.advance(10);
    expect(lost.seen).toEqual(['1#1', '2#1', '3#1']);
    await detach(bus, id, { sink: lost, drainMs: 0 });
    expect(lost.closes).toBe(1);
    expect(bus.engine.isServing(id)).toBe(false);
    await bus.publishMany(1, 4);
    const next = new Socket();
    await attach(bus, next, { options: { retryPolicy: { maxRetries: 0 } } });
    await bus.time.advance(1_000);
    expect(next.seen.sort()).toEqual(['1#2', '2#2', '3#2', '4#1']);
    next.answerAll();
    await bus.settled();
    // Without a retry left, one failure would have made each of them a dead letter.
    expect(await bus.deadLetters(id)).toEqual([]);
  });

  it('goes to the socket that came last of one member; the one before is told and cannot take it away again', async () => {
    const { open } = durableWorld();
    const bus = await open();
    const [first, second] = [new Socket(), new Socket()];
    const { id } = await attach(bus, first, {}, 'm');
    await bus.publishMany(1);
    await bus.time.advance(10);
    await attach(bus, second, {}, 'm');
    expect(first.left).toEqual(['taken_over']);
    expect(first.closes).toBe(1);
    await bus.time.advance(1_000);
    expect(second.seen).toEqual(['1#2']);
    await detach(bus, id, { sink: first });
    expect(bus.engine.isServing(id)).toBe(true);
    // An answer of the one that lost it is late.
    first.answerAll();
    second.answerAll();
    await bus.settled();
    expect(second.left).toEqual([]);
  });

  it('tells its socket when somebody else ended it', async () => {
    const bus = await openMemory();
    for (const more of [{}, { name: undefined }]) {
      const socket = new Socket();
      const { id } = await attach(bus, socket, more);
      await bus.time.run(bus.engine.subscriptions.unsubscribe(ANONYMOUS, id));
      expect(socket.left).toEqual(['ended']);
      expect(socket.closes).toBe(1);
    }
  });

  it('is told, where processes share a store, that another one ended it; and is served where the lease is', async () => {
    const time = new VirtualTime();
    const shared = new SimulatedShared({ time, chance: new SeededChance(5), stallShare: 0, hintLossShare: 0 });
    const [a, b] = [
      await openOn(shared.connect(), time, { owner: 'a' }),
      await openOn(shared.connect(), time, { owner: 'b' }),
    ];
    const [first, second] = [new Socket(), new Socket()];
    const { id } = await attach(a, first);
    await time.advance(5_000);
    await attach(b, second);
    await a.publishMany(1);
    await time.advance(5_000);
    expect([first.seen, second.seen]).toEqual([['1#1'], []]);
    await detach(a, id, { sink: first, drainMs: 0 });
    await time.advance(20_000);
    expect(second.seen).toEqual(['1#2']);
    await time.run(a.engine.subscriptions.unsubscribe(ANONYMOUS, id));
    await time.advance(60_000);
    expect(second.left).toEqual(['ended']);
    expect(second.closes).toBe(1);
    for (const bus of [a, b]) await bus.close();
  });

  it('without a name ends when its socket leaves', async () => {
    const bus = await openMemory();
    const socket = new Socket();
    const { id } = await attach(bus, socket, { name: undefined });
    await detach(bus, id, { sink: socket, drainMs: 0 });
    expect(() => bus.engine.subscriptions.get(ANONYMOUS, id)).toThrow(/No subscription/);
    await expect(detach(bus, id)).rejects.toMatchObject({ code: 'subscription_not_found' });
    expect(socket.left).toEqual([]);
  });

  it('does not take a handler’s place', async () => {
    const bus = await openMemory();
    await bus.subscribe({ name: 's', handler: () => {} });
    await expect(attach(bus, new Socket())).rejects.toMatchObject({ code: 'subscription_conflict' });
  });

  it('says up to where everything is settled', async () => {
    const bus = await openMemory();
    const socket = new Socket();
    const { id } = await attach(bus, socket, { name: undefined });
    const before = bus.engine.subscriptions.settledCursor(id);
    const cursors: string[] = [];
    for (const n of [1, 2, 3]) {
      cursors.push((await bus.time.run(bus.engine.publish(ANONYMOUS, anEvent({ payload: { n } })))).cursor);
    }
    await bus.time.advance(10);
    socket.held[1]!.answer('delivered');
    await bus.time.advance(10);
    expect(bus.engine.subscriptions.settledCursor(id)).toBe(before);
    socket.held[0]!.answer('delivered');
    await bus.time.advance(10);
    expect(bus.engine.subscriptions.settledCursor(id)).toBe(cursors[1]);
    socket.held[2]!.answer('delivered');
    await bus.time.advance(10);
    expect(bus.engine.subscriptions.settledCursor(id)).toBe(cursors[2]);
    expect(bus.engine.subscriptions.settledCursor('other')).toBeUndefined();
  });
});

describe('detach', () => {
  it('leaves an endpoint as it is: nobody is attached to it', async () => {
    const deliveries: Delivery[] = [];
    const sink: Sink = {
      deliver: (batch) => {
        deliveries.push(...batch);
        return batch.map(() => ({ status: 'delivered' }));
      },
      close: async () => {},
    };
    const bus = await openMemory({ webhookSink: () => sink });
    const { id } = await bus.subscribe({ name: 'hook', endpoint: 'https://example.com/' });
    await detach(bus, id);
    await bus.publishMany(1);
    await bus.settled();
    expect(deliveries).toHaveLength(1);
  });
});
