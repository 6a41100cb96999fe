import { ANONYMOUS, type Why } from '@event-manager/core';
import { expect, it } from 'vitest';
import type { EngineUnderTest } from '../open-engine.ts';
import { discard, ended, redrive, redriveWorld } from '../runs/redrive/redrive-world.ts';

const HOUR_MS = 3_600_000;

async function why(bus: EngineUnderTest, eventId: string): Promise<Why> {
  const { id } = bus.engine.subscriptions.list(ANONYMOUS)[0]!;
  return bus.time.run(bus.engine.explanations.why(ANONYMOUS, id, eventId));
}

const whats = ({ timeline }: Why) => timeline.map(({ what }) => what);

it('tells of a delivery that was given up, taken up again and taken, with who did it', async () => {
  const { start, receiver } = redriveWorld();
  const bus = await start();
  const event = await bus.publish({ payload: { n: 1 } });
  await bus.settled();
  const dead = await why(bus, event.id);
  expect(dead).toMatchObject({
    reason: 'dead_letter',
    advice: { command: `event-manager dead-letters redrive ${dead.facts['deadLetterId']}` },
  });
  receiver.isWell = true;
  await ended(bus, await redrive(bus, { all: true }));
  await bus.settled();
  const answer = await why(bus, event.id);
  expect(answer).toMatchObject({ reason: 'delivered', certain: true, facts: { round: 1 } });
  expect(whats(answer)).toEqual(['published', 'recorded', 'failed', 'dead-letter', 'redriven', 'delivered']);
  expect(answer.timeline.find(({ what }) => what === 'redriven')!.by).toBe(ANONYMOUS.id);
  await bus.close();
});

it('tells who discarded a dead letter, and when', async () => {
  const { start } = redriveWorld();
  const bus = await start();
  const event = await bus.publish({ payload: { n: 1 } });
  await bus.settled();
  await ended(bus, await discard(bus, { all: true, note: 'a test' }));
  const answer = await why(bus, event.id);
  expect(answer).toMatchObject({ reason: 'discarded', facts: { discardedBy: ANONYMOUS.id, note: 'a test' } });
  expect(whats(answer)).toEqual(['published', 'recorded', 'failed', 'dead-letter', 'discarded']);
  await bus.close();
});

it('tells where a delivery stands that was taken up again after its event had gone', async () => {
  const { start, receiver } = redriveWorld({
    retryPolicy: { maxRetries: 3, backoffStrategy: 'fixed', initialDelay: HOUR_MS, maxDelay: HOUR_MS, jitter: false },
  });
  const bus = await start({ retention: { ageMs: 10_000 } });
  const event = await bus.publish({ payload: { n: 1 } });
  await bus.settled();
  await bus.time.advance(30_000);
  await bus.publish({ payload: { n: 2 }, topic: 'other' });
  expect(await bus.time.run(bus.engine.history.event(ANONYMOUS, event.id))).toBeUndefined();
  receiver.answer = () => ({ success: false, error: 'Not yet.' });
  await ended(bus, await redrive(bus, { all: true }));
  await bus.time.advance(1_000);
  expect(await why(bus, event.id)).toMatchObject({ reason: 'retry_waits', status: 'owed', facts: { round: 1 } });
  await bus.close();
});
