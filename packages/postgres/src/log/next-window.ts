/** The first statement of a search looks at so many positions. */
export const FIRST_WINDOW = 10_000;
/** Below that a statement that runs out of time is not tried with fewer positions. */
export const WINDOW_MIN = 100;
const WINDOW_MAX = 5_000_000;
/**
 * What one statement may take, milliseconds: the budget of a search is looked at between two, and one that only doubled its window would
 * spend as much on the last as on all before.
 */
const STATEMENT_MS = 150;

/** How many positions the next statement looks at, behind one that found little in `window` positions and took so long. */
export function nextWindow(window: number, tookMs: number): number {
  const growth = Math.min(2, STATEMENT_MS / Math.max(tookMs, 1));
  return Math.min(WINDOW_MAX, Math.max(WINDOW_MIN, Math.floor(window * growth)));
}
