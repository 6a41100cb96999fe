// #region imports
import { EventBus, type EventBusAdapter } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import {
  assertEventEmitted,
  assertNoEventEmitted,
  failing,
  faulty,
  hanging,
  testEventBus,
  waitFor,
} from '@event-manager/testing';
import { expect, it } from 'vitest';
// #endregion
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { guide, namedBlocks, namelessLanguages, regionOf } from './regions.ts';

// #region program
/** The program under test: it takes a bus, and knows nothing of tests. */
async function sendMails(bus: EventBus, send: (address: string) => unknown): Promise<void> {
  await bus.subscribe('user.created', async ({ payload }) => {
    await send(payload.address);
    await bus.publish('mail.sent', 'mail.sent', { address: payload.address });
  });
}
// #endregion

// #region first
it('sends a mail to whoever is new', async () => {
  await using test = testEventBus();
  const sent: string[] = [];
  await sendMails(test.bus, (address) => sent.push(address));
  const mails = await test.collect('mail.*');

  await test.bus.publish('user.created', 'user.created', { address: 'anna@example.com' });
  await test.settled();

  expect(sent).toEqual(['anna@example.com']);
  expect(assertEventEmitted(mails, 'mail.sent').payload).toEqual({ address: 'anna@example.com' });
});
// #endregion

// #region none
it('sends nothing to whoever is gone', async () => {
  await using test = testEventBus();
  await sendMails(test.bus, () => {});
  const mails = await test.collect('mail.*');

  await test.bus.publish('user.deleted', 'user.deleted', { address: 'anna@example.com' });
  await test.settled();

  assertNoEventEmitted(mails, 'mail.sent');
});
// #endregion

// #region retries
it('tries again when the mail server is busy, within a minute', async () => {
  await using test = testEventBus();
  const sent: string[] = [];
  await sendMails(
    test.bus,
    failing(2, (address: string) => void sent.push(address)),
  );

  await test.bus.publish('user.created', 'user.created', { address: 'anna@example.com' });
  expect(sent).toEqual([]);
  await test.advance(60_000);

  expect(sent).toEqual(['anna@example.com']);
});
// #endregion

// #region letter
it('keeps the address where the mail server stays busy', async () => {
  await using test = testEventBus();
  await sendMails(test.bus, failing(Number.POSITIVE_INFINITY));

  await test.bus.publish('user.created', 'user.created', { address: 'anna@example.com' });
  await test.settled();

  const [letter] = await test.bus.eventManager.listDeadLetters();
  expect(letter).toMatchObject({ attempts: 4 });
});
// #endregion

// #region hanging
it('does not wait for ever for a mail server that never answers', async () => {
  await using test = testEventBus();
  const sent: string[] = [];
  await sendMails(
    test.bus,
    hanging(1, (address: string) => void sent.push(address)),
  );

  await test.run(test.bus.publish('user.created', 'user.created', { address: 'anna@example.com' }));
  await test.waitFor(() => sent.length === 1, { withinMs: 120_000 });
});
// #endregion

// #region never
it('reminds once, an hour later, and never again', async () => {
  await using test = testEventBus();
  const reminders = await test.collect('user.reminded');
  await test.bus.publish('user.reminded', 'user.reminded', {}, { delayMs: 3_600_000 });

  await test.never(() => reminders.events.length > 0, { forMs: 3_599_999 });
  await test.advance(1);
  await test.never(() => reminders.events.length > 1, { forMs: 86_400_000 });
});
// #endregion

// #region store
it('loses no user while the store is away', async () => {
  await using test = testEventBus();
  const sent: string[] = [];
  await sendMails(test.bus, (address) => sent.push(address));
  const create = () => test.bus.publish('user.created', 'user.created', { address: 'anna@example.com' });

  test.store.fail({ of: 'append', times: 1 });
  await expect(create()).rejects.toMatchObject({ code: 'store_unavailable', retryable: true });
  await create();
  await test.settled();

  expect(sent).toEqual(['anna@example.com']);
});
// #endregion

// #region lost
it('knows a user whose answer was lost', async () => {
  await using test = testEventBus();
  const sent: string[] = [];
  await sendMails(test.bus, (address) => sent.push(address));
  const id = '0198c0de-0000-7000-8000-00000000000a';
  const create = () =>
    test.bus.publish({ id, topic: 'user.created', type: 'user.created', payload: { address: 'anna@example.com' } });

  test.store.loseAnswers({ of: 'append', times: 1 });
  await expect(create()).rejects.toMatchObject({ code: 'store_unavailable' });
  expect(await create()).toMatchObject({ duplicate: true });
  await test.settled();

  expect(sent).toEqual(['anna@example.com']);
});
// #endregion

// #region real
it('publishes again when a real disk is full', async () => {
  const adapter = faulty<EventBusAdapter>(journal({ directory: temporaryDirectory() }));
  await using bus = new EventBus(adapter, 'accounts');
  const sent: string[] = [];
  await sendMails(bus, (address) => sent.push(address));
  const create = () => bus.publish('user.created', 'user.created', { address: 'anna@example.com' });

  adapter.faults.fill();
  await expect(create()).rejects.toMatchObject({ code: 'disk_full' });
  expect(await bus.isHealthy()).toBe(false);
  adapter.faults.restore();
  await waitFor(() => bus.isHealthy(), { what: 'a bus that is well' });
  await create();
  await waitFor(() => sent.length === 1);
});
// #endregion

// #region history
it('publishes what it should, in that order', async () => {
  await using test = testEventBus();
  await sendMails(test.bus, () => {});
  await test.bus.publish('user.created', 'user.created', { address: 'anna@example.com' });
  await test.settled();

  expect(test.published().map(({ type }) => type)).toEqual(['user.created', 'mail.sent']);
  expect(test.published('mail.*')).toHaveLength(1);
});
// #endregion

const name = 'testing-with-events.md';
const FILE = 'test/guides/testing-with-events.test.ts';
const blocks = namedBlocks(guide(name));

it.each(blocks)('is shown by its guide as it is: $region', ({ file, region, text }) => {
  expect([file, text]).toEqual([FILE, regionOf(FILE, region)]);
});

it('has a guide whose blocks are all run', () => {
  expect(blocks.length).toBeGreaterThan(8);
  expect(namelessLanguages(guide(name))).toEqual([]);
});
