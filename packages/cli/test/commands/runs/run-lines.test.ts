import type { Run, RunPart } from '@event-manager/core';
import { expect, it } from 'vitest';
import { runLines } from '../../../src/commands/runs/run-lines.ts';

const counts = { total: 3, done: 1, failed: 0, skipped: 0 };
const open: RunPart = { subscriptionId: 'a', state: 'open', counts, at: {} };

/** Somebody who looks at a replay of hundreds of subscriptions would take those that wait for stuck. */
it('says which parts wait for their turn', () => {
  const run: Run = {
    ...{ id: 'r', kind: 'replay', state: 'running', request: {}, counts },
    parts: [open, { ...open, subscriptionId: 'b', waiting: true }],
    words: [{ what: 'started', atMs: 0, by: 'ada' }],
    createdAtMs: 0,
  };
  const lines = runLines(run, (id) => id);
  expect(lines.find((line) => line.startsWith('a '))).toMatch(/^a +open /);
  expect(lines.find((line) => line.startsWith('b '))).toMatch(/^b +waiting /);
});
