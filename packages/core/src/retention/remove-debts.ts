import type { Position } from '../contracts/event-store.ts';
import type { Lease, StateStore } from '../contracts/state-store.ts';
import type { KeptEvent } from '../dispatch/kept-event.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { Debt, type DebtFacts, type Fates } from './debt.ts';
import { type DebtRemovals, removalChange } from './removal-record.ts';

/** What was removed of one subscription. */
export interface RemovedDebts {
  readonly fates: Readonly<Fates>;
  readonly from: Position;
  readonly through: Position;
  /** Of all times. */
  readonly total: number;
}

/**
 * Makes the oldest debts of a subscription none: counts them first, and commits the count together with their end. Nobody
 * may serve it meanwhile. `undefined` when nothing was owed.
 */
export async function removeDebts(request: {
  readonly facts: DebtFacts;
  /** All events up to `facts.through`, the oldest first. */
  readonly events: readonly KeptEvent[];
  readonly lease: Lease | undefined;
  readonly runtime: Runtime;
}): Promise<RemovedDebts | undefined> {
  const { facts, events, lease, runtime } = request;
  const { state, through, keys } = facts;
  const debt = await Debt.load(facts);
  if (!debt) return undefined;
  const wallMs = runtime.clock.wallMs();
  const { fates, from } = debt.fatesOf(events, wallMs);
  if (from === undefined) return undefined;
  const [first, ...more] = debt.removal(through);
  const changes = [lease ? { ...first!, lease } : first!, ...more];
  const before = await readRemovals(state, keys.progress);
  const range = { from, through, count: fates.removed, atMs: wallMs };
  if (fates.removed > 0 && !runtime.planted.has('retention-drops-debt'))
    changes.push(removalChange(keys.progress, before, range));
  runtime.failpoint('retention.before-commit');
  await state.commit(changes);
  runtime.failpoint('retention.after-commit');
  return { fates, from, through, total: (before?.count ?? 0) + fates.removed };
}

/** What was removed of a subscription so far. */
export async function readRemovals(state: StateStore, progressKey: string): Promise<DebtRemovals | undefined> {
  const [kept] = await state.get('debt-removal', [progressKey]);
  return kept?.value as unknown as DebtRemovals | undefined;
}
