import { EventBus, systemRuntime } from '@event-manager/core';
import { afterEach, expect, it, vi } from 'vitest';

const { timers } = systemRuntime;
const DAYS_24_MS = 2 ** 31;

afterEach(() => vi.useRealTimers());

it('waits longer than one timer can, and can be told not to', () => {
  vi.useFakeTimers();
  const fired: number[] = [];
  for (const delayMs of [3e9, 7e9, Number.POSITIVE_INFINITY]) timers.after(delayMs, () => fired.push(delayMs));
  const cancel = timers.after(6e9, () => fired.push(6e9));
  vi.advanceTimersByTime(DAYS_24_MS);
  expect(fired).toEqual([]);
  vi.advanceTimersByTime(3e9 - DAYS_24_MS);
  expect(fired).toEqual([3e9]);
  cancel();
  vi.advanceTimersByTime(4e9);
  expect(fired).toEqual([3e9, 7e9]);
});

it('gives a middleware the weeks that it was promised', async () => {
  await using bus = new EventBus({ middlewareTimeout: 3e9 });
  bus.use(async (_, next) => {
    await new Promise<void>((resolve) => timers.after(20, resolve, true));
    await next();
  });
  expect(await bus.publish('a', 'a', {})).toMatchObject({ duplicate: false });
});
