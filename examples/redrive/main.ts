// #region bus
import { EventManager, type Run } from '@event-manager/core';

await using events = new EventManager();
let isDown = true;
const shipped: string[] = [];
await events.subscribe({
  name: 'shipping',
  topic: 'order.*',
  handler(event, { attempt }) {
    const { number, street } = event.payload;
    if (isDown) return { success: false, error: `connect ECONNREFUSED 10.0.0.${number}:443` };
    if (street === '') return { success: false, retry: false, error: `order ${number} has no street` };
    shipped.push(`order ${number} to ${street}, attempt ${attempt}`);
    return undefined;
  },
  options: { retryPolicy: { maxRetries: 1, initialDelay: 10, maxDelay: 10 } },
});
for (const [number, street] of [
  [1, 'Elm Row'],
  [2, ''],
  [3, 'Mill Lane'],
]) {
  await events.publish({ type: 'order.placed', source: 'shop', payload: { number, street } });
}
await events.settled();
console.log(`shipped: ${shipped.length}, dead letters: ${(await events.listDeadLetters()).length}`);
// #endregion

// #region groups
const { groups } = await events.groupDeadLetters();
for (const { count, words } of groups) console.log(`${count} × ${words}`);
// #endregion

// #region dry-run
isDown = false;
const refused = { subscriptions: 'shipping', fingerprints: groups[0]!.fingerprint } as const;
const meant = await events.redrive({ ...refused, dryRun: true });
console.log(`${meant.count} would be redriven, the first is ${meant.sample[0]!.reason}`);
// #endregion

// #region redrive
async function ended(run: Run): Promise<Run> {
  while (run.endedAtMs === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    run = await events.getRun(run.id);
  }
  await events.settled();
  return run;
}

const run = await ended(await events.redrive({ ...refused, rate: 50, note: 'the carrier is back' }));
console.log(run.state, run.counts);
console.log(shipped.join('\n'));
// #endregion

// #region round
for (const { round, state, reason, closed } of await events.listDeadLetters()) {
  console.log(`round ${round}: ${state}, ${reason}${closed ? ` (${closed.note})` : ''}`);
}
// #endregion

// #region edit
const letters = await events.listDeadLetters();
const open = letters.find(({ state }) => state === 'open')!;
await ended(await events.redrive({ id: open.id, payload: { number: 2, street: 'Dock Street' } }));
console.log(shipped.at(-1));
// #endregion
