import { expect, it } from 'vitest';
import { FIRST_WINDOW, nextWindow, WINDOW_MIN } from '../../src/log/next-window.ts';

/** Time until a search sees that its budget is spent, where a position takes so long. */
function spentMs(budgetMs: number, msAt: (spentMs: number) => number): number {
  let [spent, window] = [0, FIRST_WINDOW];
  while (spent < budgetMs) {
    const tookMs = window * msAt(spent);
    spent += tookMs;
    window = nextWindow(window, tookMs);
  }
  return spent;
}

it('grows while statements are quick, and within bounds', () => {
  expect(nextWindow(10_000, 3)).toBe(20_000);
  expect(nextWindow(4_000_000, 3)).toBe(5_000_000);
  expect(nextWindow(200, 60_000)).toBe(WINDOW_MIN);
});

it.each([0.0001, 0.0005, 0.002, 0.01])('ends soon after its budget, at %d ms a position', (ms) => {
  expect(spentMs(1_000, () => ms)).toBeLessThan(1_300);
});

it('finds its pace again behind pages that were slow', () => {
  // A tenth of the way is on a cold disk.
  expect(spentMs(1_000, (spent) => (spent > 300 && spent < 500 ? 0.02 : 0.002))).toBeLessThan(3_000);
  let window = nextWindow(75_000, 1_500);
  expect(window).toBe(7_500);
  for (let n = 0; n < 4; n++) window = nextWindow(window, window * 0.002);
  expect(window).toBe(75_000);
});
