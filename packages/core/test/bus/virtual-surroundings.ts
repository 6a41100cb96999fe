import { systemRuntime } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { onTestFinished } from 'vitest';

/** A clock that is moved by hand. What a test leaves behind in it goes on by itself when the test is over. */
export function virtualSurroundings() {
  const time = new VirtualTime();
  onTestFinished(() => void time.runInBackground());
  return { time, runtime: { ...systemRuntime, clock: time, timers: time } };
}
