import type { PlantedBug } from '@event-manager/core';
import { mostInWindow } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { fixedRetry } from '../../open-engine.ts';
import { byState, discard, dryRun, ended, redrive, redriveWorld } from './redrive-world.ts';

const ADA = { id: 'ada', kind: 'user' } as const;

describe('a redrive', () => {
  it('delivers each letter once more, one round on, and leaves the letters with who, when and why', async () => {
    const { handed, receiver, start, time } = redriveWorld();
    const bus = await start();
    await bus.publishMany(5);
    await bus.settled();
    handed.length = 0;
    receiver.isWell = true;
    const run = await ended(bus, await redrive(bus, { all: true, note: 'the room is back' }, ADA));
    await bus.settled();
    expect([run.state, run.counts]).toEqual(['done', { total: 5, done: 5, failed: 0, skipped: 0 }]);
    expect(handed.map(({ n, attempt }) => `${n}#${attempt}`)).toEqual(['1#2', '2#2', '3#2', '4#2', '5#2']);
    const letters = await bus.deadLetters();
    expect(byState(letters)).toEqual({ redriven: 5 });
    const { closed } = letters[0]!;
    expect([closed?.by, closed?.runId, closed?.note]).toEqual(['ada', run.id, 'the room is back']);
    expect(closed!.atMs).toBeLessThanOrEqual(time.wallMs());
    expect(run.words).toMatchObject([{ what: 'started', by: 'ada' }]);
  });

  it('that dies again is a letter of the next round, which the same run leaves alone', async () => {
    const { handed, start } = redriveWorld();
    const bus = await start();
    await bus.publishMany(3);
    await bus.settled();
    const run = await ended(bus, await redrive(bus, { all: true }));
    await bus.settled();
    expect([run.counts.done, handed.length]).toEqual([3, 6]);
    const letters = await bus.deadLetters();
    expect(letters.map(({ round, state, attempts }) => `${round} ${state} ${attempts}`)).toEqual(
      Array.from({ length: 3 }, () => ['0 redriven 1', '1 open 2']).flat(),
    );
    expect(letters[1]!.redriven).toEqual({ letterId: letters[0]!.id, runId: run.id });
  });

  it('finds nothing when it is asked for twice', async () => {
    const { handed, receiver, start } = redriveWorld();
    const bus = await start();
    await bus.publishMany(4);
    await bus.settled();
    receiver.isWell = true;
    const ids = (await bus.deadLetters()).map(({ id }) => id);
    const [first, second] = [await redrive(bus, { ids }), await redrive(bus, { ids })];
    const [one, two] = [await ended(bus, first), await ended(bus, second)];
    await bus.settled();
    expect(one.counts).toEqual({ total: 4, done: 4, failed: 0, skipped: 0 });
    expect([two.counts.skipped, two.parts[0]!.skippedFor]).toEqual([4, { not_open: 4 }]);
    expect(handed).toHaveLength(8);
  });

  it('keeps its rate in every window, also with a pause in between', async () => {
    const { handed, receiver, start, time } = redriveWorld();
    const bus = await start();
    await bus.publishMany(300);
    await bus.settled();
    handed.length = 0;
    receiver.isWell = true;
    const run = await redrive(bus, { all: true, rate: 40 });
    await time.advance(2_000);
    await time.run(bus.engine.runs.pause(ADA, run.id));
    await time.advance(1_000);
    const whenPaused = handed.length;
    await time.advance(20_000);
    expect(handed).toHaveLength(whenPaused);
    await time.run(bus.engine.runs.resume(ADA, run.id));
    expect((await ended(bus, run)).counts.done).toBe(300);
    await bus.settled();
    expect(handed).toHaveLength(300);
    expect(
      mostInWindow(
        handed.map(({ atMs }) => atMs),
        1_000,
      ),
    ).toBeLessThanOrEqual(41);
  });

  it('takes no more than half of the debts that there may be', async () => {
    expect(await mostOwed()).toEqual({ most: 10, done: 60 });
    // With the bound taken away it would take them all.
    expect((await mostOwed('redrive-takes-all-room')).most).toBeGreaterThan(20);
  });

  it('is stopped by a cancel, and what was redriven stays so', async () => {
    const { receiver, start, time } = redriveWorld();
    const bus = await start();
    await bus.publishMany(100);
    await bus.settled();
    receiver.isWell = true;
    const run = await redrive(bus, { all: true, rate: 10 });
    await time.advance(2_000);
    const cancelled = await time.run(bus.engine.runs.cancel(ADA, run.id));
    const { done } = cancelled.counts;
    expect(cancelled.state).toBe('cancelled');
    await time.advance(60_000);
    expect(byState(await bus.deadLetters())).toEqual({ redriven: done, open: 100 - done });
    expect(done).toBeLessThan(40);
  });

  it('leaves alone what was redriven too often, unless it is forced', async () => {
    const { handed, start } = redriveWorld();
    const bus = await start({ deadLetters: { redrivesMax: 2 } });
    await bus.publishMany(1);
    await bus.settled();
    for (let round = 0; round < 2; round++) {
      await ended(bus, await redrive(bus, { all: true }));
      await bus.settled();
    }
    const refused = await ended(bus, await redrive(bus, { all: true }));
    expect([refused.counts.done, refused.parts[0]!.skippedFor]).toEqual([0, { redriven_too_often: 1 }]);
    await ended(bus, await redrive(bus, { all: true, force: true }));
    await bus.settled();
    expect(handed.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
  });

  it('delivers what retention has removed from the log', async () => {
    const { handed, kept, receiver, start, time } = redriveWorld();
    const bus = await start({ retention: { eventsMax: 1 } });
    await bus.publishMany(3);
    await bus.settled();
    await bus.publishMany(1, 4);
    await time.advance(600_000);
    const [bounds] = await time.run(kept.kept.store.bounds());
    expect(bounds!.first).toBeGreaterThan(3);
    receiver.isWell = true;
    handed.length = 0;
    await ended(bus, await redrive(bus, { all: true }));
    await bus.settled();
    expect(handed.map(({ n }) => n)).toEqual([1, 2, 3, 4]);
  });

  it('holds nothing in the log while it waits, and retention leaves it alone', async () => {
    const { handed, kept, receiver, start, time } = redriveWorld({ retryPolicy: fixedRetry(100, 3_600_000) });
    const bus = await start({ retention: { eventsMax: 5, owedAgeMs: 60_000 } });
    await bus.publishMany(3);
    await bus.settled();
    receiver.answer = () => ({ success: false });
    await ended(bus, await redrive(bus, { all: true }));
    await bus.publishMany(1, 4);
    await time.advance(1_000);
    receiver.answer = undefined;
    receiver.isWell = true;
    await bus.publishMany(20, 5);
    await time.advance(1_200_000);
    const [bounds] = await time.run(kept.kept.store.bounds());
    expect(bounds!.first).toBeGreaterThan(10);
    handed.length = 0;
    await bus.settled(7_200_000);
    expect(handed.map(({ n }) => n)).toEqual([1, 2, 3]);
    // The fourth was a debt as every other, and older than any may become.
    expect(bus.status(bus.engine.subscriptions.list(ADA)[0]!.id).counts.removed).toBe(1);
  });

  it('delivers another payload, marked, under the same id, and keeps the original', async () => {
    const { handed, receiver, start } = redriveWorld();
    const bus = await start();
    await bus.publishMany(1);
    await bus.settled();
    const [before] = await bus.deadLetters();
    let seen: object | undefined;
    receiver.answer = (event) => {
      seen = event;
      return { success: false, retry: false };
    };
    await ended(bus, await redrive(bus, { id: before!.id, payload: { n: 7 } }, ADA));
    await bus.settled();
    expect(seen).toMatchObject({ id: before!.eventId, payload: { n: 7 }, metadata: { edited: true, editedBy: 'ada' } });
    const [first, second] = await bus.deadLetters();
    expect([first!.event, JSON.parse(first!.closed!.event!).payload]).toEqual([before!.event, { n: 7 }]);
    expect([second!.edited, JSON.parse(second!.event).payload]).toEqual([true, { n: 7 }]);
    expect(handed.map(({ n }) => n)).toEqual([1, 7]);
  });

  it('refuses a payload that nobody could publish', async () => {
    const { start } = redriveWorld();
    const bus = await start();
    await bus.publishMany(2);
    await bus.settled();
    const [letter, other] = await bus.deadLetters();
    const { id } = letter!;
    const expectRefusal = async (request: object, code: string) => {
      await expect(redrive(bus, request), code).rejects.toMatchObject({ code });
    };
    await expectRefusal({ id, payload: 'text' }, 'invalid_event');
    await expectRefusal({ id, payload: { text: '\0' } }, 'invalid_event');
    await expectRefusal({ id, payload: { text: 'x'.repeat(300_000) } }, 'event_too_large');
    await expectRefusal({ ids: [id, other!.id], payload: {} }, 'invalid_run');
    expect(byState(await bus.deadLetters())).toEqual({ open: 2 });
  });

  it('skips what expired, and what the subscription does not want any more', async () => {
    const { handed, start, time } = redriveWorld();
    const bus = await start();
    await bus.publishMany(1, 1, { metadata: { expiresAt: time.wallMs() + 5_000 } });
    await bus.publishMany(1, 2);
    await bus.settled();
    await time.advance(10_000);
    const { id } = bus.engine.subscriptions.list(ADA)[0]!;
    await time.run(bus.engine.subscriptions.update(ADA, id, { topic: 'invoice.*' }));
    const run = await ended(bus, await redrive(bus, { all: true }));
    expect(run.parts[0]!.skippedFor).toEqual({ expired: 1, not_wanted: 1 });
    expect([handed.length, byState(await bus.deadLetters())]).toEqual([2, { open: 2 }]);
  });

  it('of letters whose subscription was removed is refused', async () => {
    const { start } = redriveWorld();
    const bus = await start();
    await bus.publishMany(1);
    await bus.settled();
    const { id } = bus.engine.subscriptions.list(ADA)[0]!;
    await bus.time.run(bus.engine.subscriptions.unsubscribe(ADA, id));
    await expect(redrive(bus, { all: true })).rejects.toMatchObject({ code: 'subscription_not_found' });
  });
});

describe('which letters are meant', () => {
  it('is said by fields, and a dry run says what that means without doing it', async () => {
    const { handed, start } = redriveWorld();
    const bus = await start();
    await bus.publishMany(12);
    await bus.publishMany(3, 100, { type: 'order.paid', correlationId: 'flow', metadata: { userId: 'u1' } });
    await bus.settled();
    const seen = handed.length;
    const all = await dryRun(bus, { all: true });
    expect([all.count, all.complete, all.sample.length, all.groups.length]).toEqual([15, true, 10, 1]);
    expect(all.groups[0]).toMatchObject({ count: 15, words: 'no room for …' });
    const counts = async (request: object) => (await dryRun(bus, request)).count;
    expect(await counts({ types: ['order.paid'] })).toBe(3);
    expect(await counts({ topic_pattern: 'order.created' })).toBe(12);
    expect(await counts({ correlation_id: 'flow' })).toBe(3);
    expect(await counts({ user_id: 'u1', except: [all.sample[0]!.id] })).toBe(3);
    expect(await counts({ fingerprint: all.groups[0]!.fingerprint, except: [all.sample[0]!.id] })).toBe(14);
    expect(await counts({ errorCode: 'nothing' })).toBe(0);
    expect(await counts({ from: Date.parse('2100-01-01') })).toBe(0);
    expect([handed.length, byState(await bus.deadLetters())]).toEqual([seen, { open: 15 }]);
  });

  it('is of subscriptions that are there, or left letters behind', async () => {
    const { start } = redriveWorld();
    const bus = await start();
    await bus.publishMany(2);
    await bus.settled();
    const unknown = (pointer: string) => ({ code: 'subscription_not_found', details: { id: 'nope', pointer } });
    const groups = (of: string) => bus.time.run(bus.engine.redrives.groups(ADA, of));
    for (const act of [redrive, discard, dryRun]) {
      await expect(act(bus, { subscription: 'nope' })).rejects.toMatchObject(unknown('/subscription'));
      const two = act(bus, { subscriptions: ['s', 'nope'] });
      await expect(two).rejects.toMatchObject(unknown('/subscriptions/1'));
      await expect(act(bus, { subscription: '' })).rejects.toMatchObject({ code: 'invalid_run' });
    }
    await expect(groups('nope')).rejects.toMatchObject(unknown('/subscriptionId'));
    await expect(groups('')).rejects.toMatchObject({ code: 'invalid_run', details: { pointer: '/subscriptionId' } });
    const [one] = bus.engine.subscriptions.list(ADA);
    await bus.subscribe({ name: 'well', handler: () => undefined });
    await bus.time.run(bus.engine.subscriptions.unsubscribe(ADA, one!.id));
    for (const [of, count] of [
      ['s', 2],
      [one!.id, 2],
      ['well', 0],
    ] as const) {
      expect([of, (await dryRun(bus, { subscription: of })).count]).toEqual([of, count]);
      expect([of, (await groups(of)).groups[0]?.count ?? 0]).toEqual([of, count]);
    }
  });

  it('has to be said, and confirmed where it is many', async () => {
    const { start } = redriveWorld();
    const bus = await start({ deadLetters: { confirmAbove: 3 } });
    await bus.publishMany(5);
    await bus.settled();
    await expect(redrive(bus, {})).rejects.toMatchObject({ code: 'invalid_run' });
    await expect(redrive(bus, { all: true })).rejects.toMatchObject({
      code: 'confirmation_required',
      details: { count: 5, complete: true },
    });
    await expect(redrive(bus, { all: true, confirm: 4 })).rejects.toMatchObject({ code: 'confirmation_required' });
    expect((await ended(bus, await redrive(bus, { all: true, confirm: 5 }))).counts.done).toBe(5);
  });
});

describe('a discard', () => {
  it('closes also letters whose subscription was removed', async () => {
    const { start } = redriveWorld();
    const bus = await start();
    await bus.publishMany(3);
    await bus.settled();
    const { id } = bus.engine.subscriptions.list(ADA)[0]!;
    await bus.time.run(bus.engine.subscriptions.unsubscribe(ADA, id));
    const run = await discard(bus, { subscription: id, note: 'nobody needs them' });
    expect([run.state, run.counts]).toEqual(['done', { total: 3, done: 3, failed: 0, skipped: 0 }]);
    const letters = await bus.deadLetters();
    expect(letters.map(({ state, closed }) => [state, closed?.runId])).toEqual(
      letters.map(() => ['discarded', run.id]),
    );
  });

  it('closes letters for good', async () => {
    const { handed, receiver, start } = redriveWorld();
    const bus = await start();
    await bus.publishMany(4);
    await bus.settled();
    const ids = (await bus.deadLetters()).slice(0, 2).map(({ id }) => id);
    const run = await ended(bus, await discard(bus, { ids, note: 'test data' }));
    expect([run.counts.done, byState(await bus.deadLetters())]).toEqual([2, { discarded: 2, open: 2 }]);
    receiver.isWell = true;
    await ended(bus, await redrive(bus, { all: true }));
    await bus.settled();
    expect(handed.map(({ n }) => n)).toEqual([1, 2, 3, 4, 3, 4]);
  });
});

/** Redrives sixty letters where twenty debts may be, to a receiver that takes its time. */
async function mostOwed(...planted: PlantedBug[]): Promise<{ most: number; done: number }> {
  const { receiver, start, time } = redriveWorld({ maxConcurrency: 1 });
  const bus = await start({ limits: { owedMax: 20 }, planted });
  await bus.publishMany(60);
  await bus.settled();
  receiver.answer = async () => {
    await time.wait(500);
    return undefined;
  };
  const run = await redrive(bus, { all: true, rate: 1_000 });
  const id = run.parts[0]!.subscriptionId;
  let most = 0;
  for (let step = 0; step < 400; step++) {
    await time.advance(100);
    most = Math.max(most, bus.status(id).owed);
  }
  const { done } = (await ended(bus, run)).counts;
  return { most, done };
}
