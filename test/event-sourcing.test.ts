import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBus, type EventBusAdapter, memory, SnapshotService } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { accountOf, deposit, open, UPCASTERS, withdraw } from '../examples/event-sourcing/account.ts';
import { Ledger } from '../examples/event-sourcing/ledger.ts';

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'event-manager-accounts-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const command = fc.record({
  isDeposit: fc.boolean(),
  cents: fc.integer({ min: 1, max: 50 }),
  ledger: fc.nat({ max: 1 }),
});

/** Without the ids that follow from the state, two withdrawals would be decided on one balance. */
it.each<[string, number, () => EventBusAdapter]>([
  ['memory', 30, () => memory()],
  ['a journal', 4, () => journal({ directory: temporaryDirectory() })],
])('carries out commands at once as if one came after the other, on %s', async (_, numRuns, adapter) => {
  const run = fc.asyncProperty(fc.array(fc.array(command, { maxLength: 6 }), { maxLength: 5 }), async (rounds) => {
    await using bus = new EventBus({ adapter: adapter(), upcasters: UPCASTERS });
    const ledgers = [1, 7].map(
      (snapshotEvery) => new Ledger(bus, new SnapshotService(bus.eventStore, { snapshotEvery })),
    );
    await ledgers[0]!.run('1', 'open', open('Ann'));
    let expected = 0;
    let made = 1;
    for (const [round, commands] of rounds.entries()) {
      const outcomes = await Promise.allSettled(
        commands.map(({ isDeposit, cents, ledger }, at) =>
          ledgers[ledger]!.run('1', `${round}-${at}`, (isDeposit ? deposit : withdraw)(cents)),
        ),
      );
      for (const [at, { status }] of outcomes.entries()) {
        const { isDeposit, cents } = commands[at]!;
        if (status === 'rejected') expect(isDeposit).toBe(false);
        else {
          expected += isDeposit ? cents : -cents;
          made++;
        }
      }
    }
    const { state } = await new SnapshotService(bus.eventStore, { upcasters: UPCASTERS }).rebuild({
      ...accountOf('1'),
      name: 'whole',
      apply(account, event) {
        const next = accountOf('1').apply(account, event)!;
        expect(next.cents).toBeGreaterThanOrEqual(0);
        return next;
      },
    });
    expect(state).toEqual({ version: made, owner: 'Ann', cents: expected });
    for (const ledger of ledgers) expect(await ledger.load('1')).toEqual(state);
  });
  await fc.assert(run, { numRuns });
});
