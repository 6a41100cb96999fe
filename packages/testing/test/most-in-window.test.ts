import { expect, it } from 'vitest';
import { mostInWindow } from '../src/most-in-window.ts';

it.each([
  ['nothing', [], 0],
  ['what comes at once', [5, 5, 5], 3],
  ['what comes in any order', [900, 100, 500], 3],
  ['a window that begins anywhere', [0, 900, 950, 1_100, 1_899], 4],
  ['no more than the window: what comes when it ends is in the next one', [0, 1_000, 2_000], 1],
])('counts %s', (_what, times, most) => {
  expect(mostInWindow(times, 1_000)).toBe(most);
});
