import type { DeadLetter, StateStore } from '@event-manager/core';
import type { HistoryEntry } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { removedDebts } from './removed-debts.ts';

const NAMES = new Map([['id-1', 'mail']]);
const NO_LETTERS: readonly DeadLetter[] = [];

/** A state whose only record admits that so many debts were removed. */
function admitting(count: number): StateStore {
  return { get: async () => [{ key: 'id-1/0', value: { count } }] } as unknown as StateStore;
}

function delivered(...failed: boolean[]): HistoryEntry[] {
  const deliveries = failed.map(
    (refused): HistoryEntry => ({ kind: 'deliver', subscription: 'mail', id: 'event', failed: refused }),
  );
  return [{ kind: 'invoke', client: 'somebody', id: 'event', subscriptions: ['mail'] }, ...deliveries];
}

describe('the debts that were removed', () => {
  it('counts an event that was taken, owed again after a crash, and refused then', async () => {
    expect(await removedDebts(delivered(false, true), NAMES, NO_LETTERS, admitting(1))).toEqual([
      { kind: 'end', subscription: 'mail', id: 'event', state: 'removed' },
    ]);
  });

  it('leaves out an event that was refused and taken later', async () => {
    expect(await removedDebts(delivered(true, false), NAMES, NO_LETTERS, admitting(1))).toEqual([]);
  });

  it('leaves out what the record of the subscription does not admit', async () => {
    expect(await removedDebts(delivered(false, true), NAMES, NO_LETTERS, admitting(0))).toEqual([]);
  });
});
