import {
  ANONYMOUS,
  type EventHandler,
  EventManagerError,
  type HandlerResult,
  type JsonObject,
} from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, fixedRetry, openMemory, openOn, sinkOf } from '../open-engine.ts';

const FAILED: HandlerResult = { success: false, error: 'not now' };

/** Collects the numbers of the payloads, each with its attempt when that is not the first. */
function collecting(answer: (n: number, attempt: number) => ReturnType<EventHandler> = () => undefined) {
  const seen: (number | string)[] = [];
  const handler: EventHandler = (event, { attempt }) => {
    const n = event.payload['n'] as number;
    seen.push(attempt === 1 ? n : `${n}#${attempt}`);
    return answer(n, attempt);
  };
  return { seen, handler };
}

function update(bus: EngineUnderTest, id: string, changes: JsonObject) {
  return bus.time.run(bus.engine.subscriptions.update(ANONYMOUS, id, changes));
}

describe('a receiver that is gone', () => {
  it('does not stop the one that takes its place meanwhile', async () => {
    const { time, kept, open } = durableWorld();
    const delivered: string[] = [];
    const bus = await open({
      webhookSink: ({ sink }) =>
        sinkOf(async (batch) => {
          if (sink.kind === 'webhook' && sink.endpoint === 'https://old.example/') {
            await time.wait(200);
            return batch.map(() => ({ status: 'gone', error: { code: 'http_410', message: 'Gone.' } }));
          }
          delivered.push(...batch.map(({ record }) => record.topic));
          return batch.map(() => ({ status: 'delivered' }));
        }),
    });
    const { id } = await bus.subscribe({ endpoint: 'https://old.example/' });
    await bus.publish({ topic: 'a' });
    await time.advance(150);
    kept.interfere = (call, [changes]) => {
      const isDefinition = call === 'commit' && (changes as { kind: string }[])[0]?.kind === 'subscription';
      return isDefinition ? time.wait(50) : undefined;
    };
    await update(bus, id, { endpoint: 'https://new.example/' });
    await bus.publish({ topic: 'b' });
    await bus.settled();
    expect(delivered).toEqual(['b']);
    expect(bus.engine.subscriptions.get(ANONYMOUS, id).state).toBe('active');
  });

  it('stays stopped over a restart, and is taken up again by resume', async () => {
    const { open } = durableWorld();
    let isGone = true;
    const webhookSink = () =>
      sinkOf((batch) =>
        batch.map(() =>
          isGone ? { status: 'gone', error: { code: 'http_410', message: 'Gone.' } } : { status: 'delivered' },
        ),
      );
    const first = await open({ webhookSink });
    const { id } = await first.subscribe({ endpoint: 'https://a.example/' });
    await first.publish();
    await first.time.advance(1_000);
    await first.close();
    const second = await open({ webhookSink });
    expect(second.engine.subscriptions.get(ANONYMOUS, id).state).toBe('stopped');
    isGone = false;
    await second.time.run(second.engine.subscriptions.resume(ANONYMOUS, id));
    await second.publish();
    await second.settled();
    expect(second.status(id).counts.delivered).toBe(1);
  });
});

describe('inside its own handler', () => {
  for (const name of ['named', undefined]) {
    const kind = name ?? 'without a name';

    it(`${kind}: unsubscribe does not wait for the attempt that calls it, but for the others`, async () => {
      const bus = await openMemory();
      const told: string[] = [];
      const handler: EventHandler = async (event) => {
        if (event.payload['n'] === 1) {
          await bus.time.wait(100);
          told.push('other attempt ended');
          return;
        }
        await bus.engine.subscriptions.unsubscribe(ANONYMOUS, id);
        told.push('unsubscribed');
      };
      const { id } = await bus.subscribe({ ...(name ? { name } : {}), handler, options: { maxConcurrency: 2 } });
      const beganMs = bus.time.monotonicMs();
      await bus.publishMany(2);
      await bus.time.advance(200);
      expect(told).toEqual(['other attempt ended', 'unsubscribed']);
      expect(bus.time.monotonicMs() - beganMs).toBeLessThan(1_000);
      await bus.publishMany(3);
      await bus.settled();
      expect([told.length, bus.engine.subscriptions.list(ANONYMOUS)]).toEqual([2, []]);
    });

    it(`${kind}: update takes effect after the attempt, which is delivered once`, async () => {
      const { time, open } = durableWorld();
      const bus = await open();
      const { seen, handler } = collecting(async (n) => {
        if (n !== 1) return;
        const changed = await bus.engine.subscriptions.update(ANONYMOUS, id, { topic: 'b' });
        expect(changed.topic).toBe('b');
      });
      const { id } = await bus.subscribe({ ...(name ? { name } : {}), handler });
      const beganMs = time.monotonicMs();
      await bus.publishMany(1);
      await bus.settled();
      expect(time.monotonicMs() - beganMs).toBeLessThan(1_000);
      await bus.publishMany(1, 2, { topic: 'a' });
      await bus.publishMany(1, 3, { topic: 'b' });
      await bus.settled();
      expect(seen).toEqual([1, 3]);
    });

    it(`${kind}: update takes effect also when the store refuses the first time`, async () => {
      const { time, kept, open } = durableWorld();
      const bus = await open();
      let commits = 0;
      const { seen, handler } = collecting(async (n) => {
        if (n !== 1) return FAILED;
        await bus.engine.subscriptions.update(ANONYMOUS, id, { topic: 'b' });
        kept.interfere = (call) => {
          if (call === 'commit' && ++commits < 3) throw new EventManagerError('disk_full', 'Full.');
        };
        return { ...FAILED, retry: false };
      });
      const { id } = await bus.subscribe({ ...(name ? { name } : {}), handler });
      await bus.publishMany(1);
      await time.advance(10_000);
      await bus.publishMany(1, 2, { topic: 'a' });
      await time.advance(10_000);
      expect([seen, (await bus.deadLetters(id)).length]).toEqual([[1], 1]);
    });
  }
});

describe('a change that the store refuses', () => {
  const changes: [string, number, (bus: EngineUnderTest, id: string) => Promise<unknown>][] = [
    ['update', 2, ({ engine }, id) => engine.subscriptions.update(ANONYMOUS, id, { topic: 'other' })],
    ['unsubscribe', 2, ({ engine }, id) => engine.subscriptions.unsubscribe(ANONYMOUS, id)],
    ['detach', 1, ({ engine }, id) => engine.subscriptions.detach(ANONYMOUS, id)],
  ];
  for (const shared of [false, true]) {
    for (const [what, commits, change] of changes) {
      for (let refused = 1; refused <= commits; refused++) {
        const where = shared ? 'under a lease' : 'alone';
        it(`${where}: ${what} whose commit ${refused} fails leaves it served as it was, and attempts nothing again`, async () => {
          const { time, kept } = durableWorld();
          const bus = await openOn(kept.connect({ shared }), time, {}, kept);
          const { seen, handler } = collecting((n, attempt) => (n === 2 && attempt === 1 ? FAILED : undefined));
          const { id } = await bus.subscribe({ name: 's', handler, options: { retryPolicy: fixedRetry(3) } });
          await time.advance(200);
          await bus.publishMany(3);
          let commit = 0;
          kept.interfere = (call) => {
            if (call === 'commit' && ++commit === refused) throw new EventManagerError('disk_full', 'Full.');
          };
          await expect(time.run(change(bus, id))).rejects.toMatchObject({ code: 'disk_full' });
          kept.interfere = () => {};
          await bus.publishMany(1, 4);
          await bus.settled();
          expect([bus.engine.isServing(id), seen]).toEqual([true, [1, 2, 3, 4, '2#2']]);
          expect(bus.engine.subscriptions.get(ANONYMOUS, id).topic).toBe('#');
          await time.run(change(bus, id));
        });
      }
    }
  }

  it('loses no dead letter of a subscription without a name', async () => {
    const { time, kept, open } = durableWorld();
    const bus = await open();
    const { id } = await bus.subscribe({ handler: () => ({ ...FAILED, retry: false }) });
    kept.interfere = (call) => {
      if (call === 'commit') throw new EventManagerError('disk_full', 'Full.');
    };
    await bus.publishMany(1);
    await expect(update(bus, id, { topic: 'other' })).rejects.toMatchObject({ code: 'disk_full' });
    kept.interfere = () => {};
    await time.advance(5_000);
    expect(await bus.deadLetters(id)).toHaveLength(1);
  });
});

describe('serving that fails', () => {
  it('leaves no handler attached: the same subscribe works as soon as the store does', async () => {
    const { kept, open } = durableWorld();
    const bus = await open();
    const { seen, handler } = collecting();
    kept.interfere = (call, [kind]) => {
      if (call === 'get' && kind === 'progress') throw new EventManagerError('store_failed', 'Cannot be read.');
    };
    for (const _ of ['created', 'attached']) {
      await expect(bus.subscribe({ name: 's', handler })).rejects.toMatchObject({ code: 'store_failed' });
    }
    kept.interfere = () => {};
    await bus.subscribe({ name: 's', handler });
    await bus.publishMany(1);
    await bus.settled();
    expect(seen).toEqual([1]);
  });
});

describe('on a shared store', () => {
  async function sharedWorld() {
    const { time, kept } = durableWorld();
    const delivered: string[] = [];
    const webhookSink = () =>
      sinkOf((batch) => {
        for (const { record } of batch) delivered.push(record.topic);
        return batch.map(() => ({ status: 'delivered' }));
      });
    const bus = await openOn(kept.connect({ shared: true }), time, { owner: 'a', webhookSink }, kept);
    const isFree = async (id: string) => {
      const [lease] = await kept.kept.state.acquire([`subscription/${id}`], { owner: 'somebody', ttlMs: 1 });
      return lease !== undefined;
    };
    return { time, kept, bus, delivered, isFree };
  }

  it('serves nothing whose lease was lost while its records were read', async () => {
    const { time, kept, bus } = await sharedWorld();
    const { id } = await bus.subscribe({ name: 's', endpoint: 'https://example.com/' });
    await time.advance(3_000);
    expect(bus.engine.isServing(id)).toBe(true);
    let read = () => {};
    const held = new Promise<void>((resolve) => {
      read = resolve;
    });
    kept.interfere = (call, [kind]) => {
      if (call === 'renew' || call === 'acquire') throw new EventManagerError('disk_full', 'Not now.');
      return call === 'get' && kind === 'progress' ? held : undefined;
    };
    const updated = bus.engine.subscriptions.update(ANONYMOUS, id, { topic: 'other' });
    // Longer than a lease lasts.
    await time.advance(10_000);
    read();
    await time.run(updated);
    expect(bus.engine.isServing(id)).toBe(false);
    kept.interfere = () => {};
    await time.advance(3_000);
    expect(bus.engine.isServing(id)).toBe(true);
  });

  it('a removed subscription is not taken up again, whenever the look for leases comes', async () => {
    for (let delayMs = 0; delayMs <= 40; delayMs += 2) {
      const { time, kept, bus, delivered, isFree } = await sharedWorld();
      kept.interfere = (call) => (call === 'commit' || call === 'release' ? time.wait(10) : undefined);
      const { id } = await bus.subscribe({ name: 's', endpoint: 'https://a.example/' });
      await time.advance(500);
      expect(bus.engine.isServing(id)).toBe(true);
      const ending = bus.engine.subscriptions.unsubscribe(ANONYMOUS, id);
      await time.advance(delayMs);
      bus.engine.subscriptions.poke();
      await time.run(ending);
      await time.advance(7_000);
      await bus.publish();
      await time.advance(500);
      expect([bus.engine.isServing(id), delivered, await isFree(id)], `look after ${delayMs} ms`).toEqual([
        false,
        [],
        true,
      ]);
    }
  });

  it('a lease that comes after the handler left is given back', async () => {
    const { time, kept, bus, isFree } = await sharedWorld();
    const { id } = await bus.subscribe({ name: 's', handler: () => {} });
    await time.advance(500);
    kept.interfere = (call) => (call === 'acquire' ? time.wait(100) : undefined);
    await bus.time.run(bus.engine.subscriptions.detach(ANONYMOUS, id));
    const attaching = bus.subscribe({ name: 's', handler: () => {} });
    await attaching;
    await time.advance(50);
    await bus.time.run(bus.engine.subscriptions.detach(ANONYMOUS, id));
    await time.advance(1_000);
    kept.interfere = () => {};
    expect(await isFree(id)).toBe(true);
  });
});
