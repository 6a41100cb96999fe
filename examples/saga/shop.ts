/**
 * The shop: places four orders and ends when all of them have. It may be killed at any moment and started again; it needs no
 * other memory than the journal of its bus.
 *
 *     node examples/saga/shop.ts DIRECTORY [KEY]      KEY: it kills itself right after the service did that
 */
import { join } from 'node:path';
import { argv, kill, pid } from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { EventBus } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { type Order, orderSteps } from './order-steps.ts';
import { Saga } from './saga.ts';
import { Services } from './services.ts';

const [, , directory = './saga-data', deadlyKey] = argv;

const ORDERS: Readonly<Record<string, Order>> = {
  'order-1': { item: 'book', euros: 20, card: 'good', carrier: 'fast' },
  'order-2': { item: 'lamp', euros: 90, card: 'empty', carrier: 'fast' },
  'order-3': { item: 'desk', euros: 300, card: 'good', carrier: 'silent' },
  'order-4': { item: 'pen', euros: 5, card: 'good', carrier: 'fast' },
};

const say = (words: string) => console.log(`  ${words}`);
const services = new Services(join(directory, 'services.jsonl'), (key) => {
  if (key === deadlyKey) kill(pid, 'SIGKILL');
});
await using bus = new EventBus({
  adapter: journal({ directory: join(directory, 'journal') }),
  name: 'shop',
  // A step that does not answer is tried again; when that is over, `onFailed` tells of it.
  onHandlerError: () => {},
});

// #region open
const ENDS = ['saga.completed', 'saga.compensated'];
const saga = new Saga<Order>(bus, {
  name: 'orders',
  steps: orderSteps(services, say),
  onFailed: ({ failedStep, reason }) => say(`${failedStep} failed: ${reason}`),
});
// #endregion

async function ended(sagaId: string): Promise<string> {
  for (;;) {
    const end = (await saga.trace(sagaId)).find(({ type }) => ENDS.includes(type));
    if (end) return end.type;
    await wait(10);
  }
}

await bus.initialize();
await saga.open();
// #region orders
for (const [sagaId, order] of Object.entries(ORDERS)) {
  console.log(`${sagaId}: a ${order.item} for ${order.euros} EUR`);
  await saga.start(sagaId, order);
  const end = await ended(sagaId);
  await bus.settled();
  console.log(`  ${end === 'saga.completed' ? 'done' : 'undone'}`);
}
// #endregion

console.log('what happened to order-3, by its correlation id:');
for (const { topic, type, payload } of await saga.trace('order-3')) {
  console.log(`  ${topic}: ${type} ${payload.step ?? ''}`.trimEnd());
}
