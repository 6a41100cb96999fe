import { expect, it } from 'vitest';
import { Debts } from '../../src/dispatch/debts.ts';
import { Owed } from '../../src/dispatch/owed.ts';

it('is ready once, whoever says so, and not while it is tried: a second entry was a second attempt beside the first', () => {
  const debts = new Debts(4, true);
  const owed = new Owed(7, 2, 1, 0);
  debts.put(owed);
  debts.makeReady(owed);
  debts.makeReady(owed);
  expect([...debts.waiting()]).toEqual([]);
  expect(debts.takeReady(2)).toBe(owed);
  expect(debts.hasReady).toBe(false);
  owed.started = true;
  debts.makeReady(owed);
  expect(debts.hasReady).toBe(false);
  owed.started = false;
  expect([...debts.waiting()]).toEqual([owed]);
  debts.makeReady(owed);
  expect(debts.peekReady(2)).toBe(owed);
});
