// #region connect
import { type Event, EventManager } from '@event-manager/core';

await using events = new EventManager(); // the same with an EventManagerClient
// #endregion

const orders = (count: number, type = 'order.created') =>
  Array.from({ length: count }, (_, n) => ({ type, source: 'shop', payload: { n } }));
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

// #region rate
const limited = await events.subscribe({
  name: 'partner',
  topic: 'order.*',
  handler: () => {},
  options: { rateLimitPerMinute: 3 },
});
await events.publishBatch(orders(5));
await pause(20);
const { status } = await events.getSubscription(limited.id);
console.log(`${status.counts.delivered} delivered, ${status.waiting} wait, ${status.rateLeft} left this minute`);
// #endregion
await limited.unsubscribe();

// #region batches
const sizes: number[] = [];
const statistics = await events.subscribe({
  name: 'statistics',
  topic: 'page.*',
  async batchHandler(batch) {
    sizes.push(batch.length);
    await pause(10);
  },
  options: { smartBatching: true },
});
await events.publishBatch(orders(45, 'page.viewed'));
await events.settled();
console.log(`batches of ${sizes.join(', ')}`);
// #endregion
await statistics.unsubscribe();

// #region aging
const handled: string[] = [];
const fair = await events.subscribe({
  name: 'fair',
  topic: 'task.*',
  async handler({ priority, payload }: Event) {
    handled.push(priority === 3 ? 'LOW' : `HIGH ${payload['n']}`);
    await pause(20);
  },
  options: { agingMs: 100 },
});
const low = { type: 'task.tidy', source: 'office', priority: 'LOW' as const };
const flood = orders(40, 'task.urgent').map((event) => ({ ...event, priority: 'HIGH' as const }));
await events.publishBatch([low, ...flood]);
await events.settled();
console.log(`LOW was handled before ${handled.at(-1)}`);
// #endregion
await fair.unsubscribe();

// #region group
const taken = { anna: 0, ben: 0 };
const worker = (name: keyof typeof taken) => ({
  name: 'workers',
  topic: 'parcel.*',
  async handler() {
    taken[name]++;
    await pause(5);
  },
});
await events.subscribe(worker('anna'));
const ben = await events.subscribe(worker('ben')); // the same name and definition: another member
await events.publishBatch(orders(20, 'parcel.packed'));
await events.settled();
console.log(`${taken.anna + taken.ben} parcels, each sent once; anna sent half: ${taken.anna === 10}`);
// #endregion

// #region leave
await ben.detach();
await events.publishBatch(orders(4, 'parcel.packed'));
await events.settled();
console.log(`anna sent ${taken.anna - 10} more, ben ${taken.ben - 10}`);
// #endregion

// #region pull
const nightly = await events.subscribe({ name: 'nightly', topic: 'invoice.*' }); // nobody to call
await events.publishBatch(orders(3, 'invoice.due'));
for (const { event, ack } of await events.pull(nightly.id, { max: 100 })) {
  console.log(`printing invoice ${event.payload['n']}`);
  await ack();
}
// #endregion
