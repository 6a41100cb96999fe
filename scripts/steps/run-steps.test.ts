import { expect, it } from 'vitest';
import { runSteps } from './run-steps.ts';
import { FAILED, PASSED, type StepResult } from './step.ts';

async function linesOf(...results: readonly StepResult[]): Promise<{ good: boolean; lines: string[] }> {
  const lines: string[] = [];
  const steps = results.map((result, index) => ({ name: `step ${index}`, run: async () => result }));
  const good = await runSteps(steps, (line) => lines.push(line));
  return { good, lines };
}

it('ends with the plain line that says how many passed and failed', async () => {
  const { good, lines } = await linesOf(PASSED, { passed: 41, failed: 0, skipped: [] });
  expect(lines.at(-1)).toBe('42 passed, 0 failed');
  expect(good).toBe(true);
});

it('runs the steps behind a failure, and fails as a whole', async () => {
  const { good, lines } = await linesOf(FAILED, PASSED);
  expect(lines.at(-1)).toBe('1 passed, 1 failed');
  expect(good).toBe(false);
});

it('counts skips and prints each with its reason', async () => {
  const skipped = [{ name: 'power loss', reason: 'needs root' }];
  const { lines } = await linesOf({ passed: 1, failed: 0, skipped });
  expect(lines.at(-1)).toBe('1 passed, 0 failed, 1 skipped');
  expect(lines).toContain('skipped: power loss: needs root');
});
