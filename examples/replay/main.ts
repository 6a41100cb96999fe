// #region bus
import { EventManager, type Run } from '@event-manager/core';

await using events = new EventManager();
let isBroken = true;
const billed: string[] = [];
await events.subscribe({
  name: 'billing',
  topic: 'order.*',
  handler(event, { replay }) {
    if (isBroken) return;
    billed.push(`${event.type} ${event.payload['number']}${replay ? ', replayed' : ''}`);
  },
});
for (const number of [1, 2]) {
  await events.publish({ type: 'order.placed', source: 'shop', payload: { number } });
}
await events.publish({ type: 'order.cancelled', source: 'shop', payload: { number: 2 } });
await events.settled();
console.log(`billed: ${billed.length}`);
// #endregion

// #region dry-run
isBroken = false;
const lost = { topic: 'order.*', types: 'order.placed', subscriptions: 'billing' } as const;
const preview = await events.replay({ ...lost, dryRun: true });
console.log(`${preview.count} deliveries: ${preview.sample.map(({ type }) => type).join(', ')}`);
// #endregion

// #region replay
let run: Run = await events.replay({ ...lost, note: 'billing wrote nothing before version 7' });
while (run.endedAtMs === undefined) {
  await new Promise((resolve) => setTimeout(resolve, 10));
  run = await events.getRun(run.id);
}
console.log(run.state, run.counts);
console.log(billed.join('\n'));
// #endregion
