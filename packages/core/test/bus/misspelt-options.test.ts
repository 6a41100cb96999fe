import {
  BusEventEmitter,
  createLoggingMiddleware,
  EventBus,
  EventReplayService,
  InMemoryEventStore,
  SnapshotService,
  transformationMiddleware,
  validationMiddleware,
} from '@event-manager/core';
import { expect, it } from 'vitest';

/** Written in JavaScript, or held in a variable: the compiler says nothing of these. */
const MISSPELT: readonly [what: string, make: (options: object) => unknown][] = [
  ['createLoggingMiddleware', createLoggingMiddleware],
  ['validationMiddleware', (options) => validationMiddleware({}, options)],
  ['EventReplayService', (options) => new EventReplayService(new InMemoryEventStore(), options)],
  ['SnapshotService', (options) => new SnapshotService(new InMemoryEventStore(), options)],
  ['BusEventEmitter', (options) => new BusEventEmitter(new EventBus(), options)],
];

it.each(MISSPELT)('%s refuses an option that nobody reads, and names those it has', (what, make) => {
  expect(() => make({ misspelt: true })).toThrow(new RegExp(`^${what} has no option "misspelt"; it has [a-z]+`));
  expect(() => make({ misspelt: undefined })).not.toThrow();
});

it('loadHandlers refuses one as well, before it imports anything', async () => {
  await using bus = new EventBus();
  await expect(bus.loadHandlers('./nothing.js', { wacth: true } as object)).rejects.toThrow(/no option "wacth"/);
});

it('says at once what is no store, no bus and no function', async () => {
  await using bus = new EventBus();
  const store = /takes an event store, .* this has no open, append, read/;
  expect(() => bus.setEventStore('leveldb' as never)).toThrow(store);
  expect(() => new EventReplayService(bus as never)).toThrow(/EventReplayService takes an event store/);
  expect(() => new SnapshotService(undefined as never)).toThrow(/SnapshotService takes an event store/);
  expect(() => new BusEventEmitter(undefined as never)).toThrow(/is made of an EventBus/);
  expect(() => transformationMiddleware({ a: 5 as never })).toThrow(/takes a function of the event/);
  expect(() => transformationMiddleware(undefined as never)).toThrow(/takes a function of the event/);
  expect(() => bus.attachMetrics('part', undefined as never)).toThrow(/takes a name and a function/);
  await expect(bus.usePlugins('logging' as never)).rejects.toThrow(/takes a list/);
  // The bus is as it was.
  expect(await bus.publish('a', 'a', {})).toMatchObject({ duplicate: false });
});

it('loses neither payload nor data where an event has both', async () => {
  await using bus = new EventBus();
  const got: unknown[] = [];
  await bus.subscribe('again', (event) => void got.push(event.payload));
  const both = { type: 'a', payload: { total: 1 }, data: { total: 2 } };
  await expect(bus.publish(both)).rejects.toMatchObject({ code: 'invalid_event', details: { pointer: '/data' } });
  await bus.subscribe(
    'a',
    async ({ type, payload, data }) => void (await bus.publish({ type, payload, data, topic: 'again' })),
  );
  await bus.publish({ ...both, data: { total: 1 } });
  await bus.settled();
  expect(got).toEqual([{ total: 1 }]);
});

it('refuses a word for other types that means nothing', () => {
  expect(() => validationMiddleware({}, { otherTypes: 'reject' as 'refuse' })).toThrow(/one of pass, refuse/);
});
