import {
  BusEventEmitter,
  createLoggingMiddleware,
  EventBus,
  EventReplayService,
  InMemoryEventStore,
  SnapshotService,
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

it('refuses a word for other types that means nothing', () => {
  expect(() => validationMiddleware({}, { otherTypes: 'reject' as 'refuse' })).toThrow(/one of pass, refuse/);
});
