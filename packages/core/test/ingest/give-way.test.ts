import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { ANONYMOUS, EventManager } from '@event-manager/core';
import { expect, it } from 'vitest';
import { anEvent, openMemory } from '../open-engine.ts';

const EVENT = { type: 'tick', source: 'test' };
/** Far more than fits between two turns of the event loop. */
const PUBLISHED_MAX = 100_000;

/** Publishes one event after the other and does nothing else, until something else happens or it is too much. */
async function publishUntil(events: EventManager, happened: () => boolean): Promise<boolean> {
  for (let published = 0; published < PUBLISHED_MAX; published++) {
    await events.publish(EVENT);
    if (happened()) return true;
  }
  return false;
}

/** A store in memory answers at once: the promises of such a loop settle one another, and nothing else of the process ran. */
it('lets a timer fire while somebody publishes in a row', async () => {
  await using events = new EventManager();
  let isOver = false;
  setTimeout(() => {
    isOver = true;
  }, 1);
  expect(await publishUntil(events, () => isOver)).toBe(true);
});

it('lets sockets be read while somebody publishes in a row', async () => {
  await using events = new EventManager();
  const server = createServer((socket) => void socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client: Socket = connect((server.address() as { port: number }).port, '127.0.0.1');
  let heard = 0;
  client.on('data', (bytes) => {
    heard += bytes.length;
    if (heard < 5) client.write('.');
  });
  client.write('.');
  // Five times there and back: not only the first turn is given.
  expect(await publishUntil(events, () => heard >= 5)).toBe(true);
  client.destroy();
  server.close();
});

/** Nobody moves the time of this one: what waited for a turn would wait for ever. */
it('waits for no turn where the clock stands still', async () => {
  const bus = await openMemory();
  for (let published = 0; published < 1_000; published++) await bus.engine.publish(ANONYMOUS, anEvent());
  expect(bus.engine.health().head).toBe(1_000);
  await bus.close();
});
