// An account that is nothing but its events: commands, snapshots, a read model, a look back, and a restart.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const directory = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'event-manager-accounts-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

// #region bus
import { EventBus, SnapshotService } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { accountOf, deposit, open, UPCASTERS, withdraw } from './account.ts';
import { Ledger } from './ledger.ts';

function openLedger() {
  const bus = new EventBus({ name: 'bank', adapter: journal({ directory }), upcasters: UPCASTERS });
  const snapshots = new SnapshotService(bus.eventStore, { snapshotEvery: 5, upcasters: UPCASTERS });
  return { bus, snapshots, ledger: new Ledger(bus, snapshots) };
}

let { bus, snapshots, ledger } = openLedger();
// #endregion

// #region commands
await ledger.run('4711', 'c-1', open('Ann'));
await ledger.run('4711', 'c-2', deposit(10_000));
await wait(5);
const before = new Date();

const wanted = Array.from({ length: 10 }, (_, n) => ledger.run('4711', `w-${n}`, withdraw(3_000)));
const outcomes = await Promise.allSettled(wanted);
console.log(`of 10 withdrawals at once ${outcomes.filter(({ status }) => status === 'fulfilled').length} were made`);
console.log(await ledger.load('4711'));
// #endregion

// #region old-events
await bus.publish({ type: 'account.deposited', topic: 'accounts/4711', version: '1.0', data: { amount: 12.5 } });
const { cents } = await ledger.load('4711');
console.log(`${cents / 100} with a deposit that was written by version 1.0`);
// #endregion

// #region restart
await bus.close();
({ bus, snapshots, ledger } = openLedger());
const { state, folded, snapshotPosition } = await snapshots.load(accountOf('4711'));
console.log(state, `${folded} events behind the snapshot at ${snapshotPosition}`);
const rebuilt = await snapshots.rebuild(accountOf('4711'));
console.log(
  `from the first event on: ${rebuilt.folded} events, the same balance: ${rebuilt.state.cents === state.cents}`,
);
// #endregion

// #region time-travel
const then = await snapshots.at(accountOf('4711'), before);
console.log(`before the withdrawals it had ${then.state.cents / 100}`);

// #endregion

// #region projection
import { Upcasters } from '@event-manager/core';

const { upcast } = new Upcasters(UPCASTERS);
const owners = await bus.eventManager.project({
  name: 'balances',
  topic: 'accounts.*',
  key: ({ topic }) => topic.split('/').at(-1),
  initial: { owner: '', cents: 0 },
  apply(balance, event) {
    const { type, payload } = upcast(event);
    if (type === 'account.opened') return { ...balance, owner: String(payload['owner']) };
    return { ...balance, cents: balance.cents + (type === 'account.withdrawn' ? -1 : 1) * Number(payload['cents']) };
  },
});
await ledger.run('4712', 'c-3', open('Bob'));
await ledger.run('4712', 'c-4', deposit(500));
await owners.caughtUp();
for (const number of await owners.keys()) console.log(number, await owners.get(number));

// #endregion

// #region audit
import { EventReplayService } from '@event-manager/core';

const audit = new EventReplayService(bus.eventStore, { upcasters: UPCASTERS });
let total = 0;
const report = await audit.replayEvents({
  topic: 'accounts.*',
  types: ['account.deposited'],
  handler: ({ data }, { replay }) => {
    if (replay) total += data.cents;
  },
});
console.log(`${report.replayed} deposits of ${total / 100} together`);
// #endregion

await bus.close();
