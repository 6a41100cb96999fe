import { ANONYMOUS, type Why } from '@event-manager/core';
import { expect, it } from 'vitest';
import { anEvent, durableWorld, type EngineUnderTest, fixedRetry, openMemory } from '../open-engine.ts';
import { SeveralEngines } from '../several-engines.ts';

const HOUR_MS = 3_600_000;
const NOBODY = '01890a5d-ac96-774b-bcce-b302099a8057';

function why(bus: EngineUnderTest, subscriptionId: string, eventId: string): Promise<Why> {
  return bus.time.run(bus.engine.explanations.why(ANONYMOUS, subscriptionId, eventId));
}

/** As a process makes one now. */
function idMadeAt(atMs: number): string {
  const hex = atMs.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-00000000000a`;
}

it('tells when an event that waits for its time is published', async () => {
  const bus = await openMemory();
  const { id } = await bus.subscribe({ name: 's', handler: () => {} });
  const dueMs = bus.time.wallMs() + HOUR_MS;
  const event = await bus.publish({ metadata: { deliverAt: new Date(dueMs).toISOString() } });
  const answer = await why(bus, id, event.id);
  expect(answer).toMatchObject({ reason: 'scheduled', status: 'not-published', certain: true });
  expect(answer.facts['scheduledFor']).toBe(new Date(dueMs).toISOString());
  await bus.time.advance(HOUR_MS + 1_000);
  await bus.settled();
  expect((await why(bus, id, event.id)).reason).toBe('delivered');
  await bus.close();
});

it('tells that an event was refused, also at a process that did not refuse it', async () => {
  const engines = await SeveralEngines.of(2, { topicsStrict: true });
  const [first, second] = engines.all as [EngineUnderTest, EngineUnderTest];
  const { id } = await first.subscribe({ name: 's' });
  await engines.time.advance(2_000);
  const refused = idMadeAt(engines.time.wallMs());
  const publishing = engines.time.run(second.engine.publish(ANONYMOUS, anEvent({ id: refused, topic: 'no/such' })));
  await expect(publishing).rejects.toMatchObject({ code: 'topic_not_declared' });
  const answers = [await why(first, id, refused), await why(second, id, refused)];
  expect(answers[0]).toMatchObject({
    reason: 'rejected',
    status: 'not-published',
    facts: { code: 'topic_not_declared' },
  });
  expect(answers[1]).toEqual(answers[0]);
  await engines.close();
});

it('says of an id that nobody used that nothing is known of it', async () => {
  const bus = await openMemory();
  const { id } = await bus.subscribe({ name: 's', handler: () => {} });
  await bus.publish();
  for (const eventId of [idMadeAt(bus.time.wallMs()), NOBODY, 'no id at all']) {
    expect(await why(bus, id, eventId)).toMatchObject({ reason: 'unknown_event', status: 'unknown', certain: false });
  }
  await bus.close();
});

it('says of an id from before the oldest event that retention has removed it, if it was there', async () => {
  const world = durableWorld();
  const bus = await world.open({ retention: { ageMs: HOUR_MS } });
  const { id } = await bus.subscribe({ name: 's', handler: () => {} });
  const old = await bus.publish();
  await bus.settled();
  await bus.time.advance(2 * HOUR_MS);
  await bus.publish();
  const answer = await why(bus, id, idMadeAt(bus.time.wallMs() - 2 * HOUR_MS));
  expect(answer).toMatchObject({ reason: 'removed', status: 'given-up', certain: false });
  expect(await world.time.run(bus.engine.history.event(ANONYMOUS, old.id))).toBeUndefined();
  await bus.close();
});

it('still tells how a delivery ended whose event is gone', async () => {
  const world = durableWorld();
  const bus = await world.open({ retention: { ageMs: HOUR_MS } });
  let isFailing = true;
  const handler = () => ({ success: !isFailing, error: 'No.' });
  const { id } = await bus.subscribe({ name: 's', handler, options: { retryPolicy: fixedRetry(1) } });
  const dead = await bus.publish();
  await bus.settled();
  const late = await bus.publish();
  await bus.time.advance(500);
  isFailing = false;
  await bus.settled();
  await bus.time.advance(2 * HOUR_MS);
  await bus.publish();
  const [letter] = await bus.deadLetters(id);
  expect(await why(bus, id, dead.id)).toMatchObject({
    ...{ reason: 'dead_letter', certain: true, note: 'The event itself is not kept any more.' },
    facts: { deadLetterId: letter!.id, attempts: 2 },
  });
  expect(await why(bus, id, late.id)).toMatchObject({ reason: 'delivered', facts: { attempts: 2 } });
  // The letter stays when the record of the delivery has gone.
  const { state } = world.kept.kept;
  const { entries } = await state.load('attempt', { limit: 10 });
  await state.commit(entries.map(({ key }) => ({ kind: 'attempt', key })));
  expect((await why(bus, id, dead.id)).reason).toBe('dead_letter');
  await bus.close();
});

it('says of an id from the time of a damaged part of the log that the event may have been lost there', async () => {
  const world = durableWorld();
  const bus = await world.open();
  const { id } = await bus.subscribe({ name: 's', handler: () => {} });
  for (let n = 0; n < 3; n++) {
    await bus.publish();
    await bus.time.advance(60_000);
  }
  world.kept.health = { status: 'ok', facts: {}, lost: [{ from: 2, through: 2, cause: 'damaged' }] };
  const made = bus.time.wallMs() - 2 * 60_000;
  expect(await why(bus, id, idMadeAt(made))).toMatchObject({
    reason: 'lost',
    certain: false,
    facts: { from: 2, through: 2 },
  });
  expect((await why(bus, id, idMadeAt(made + HOUR_MS))).reason).toBe('unknown_event');
  await bus.close();
});
