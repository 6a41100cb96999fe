import { VirtualTime, waitFor } from '@event-manager/testing';
import { expect, it } from 'vitest';

const virtual = () => {
  const time = new VirtualTime();
  return { time, on: { clock: time, timers: time } };
};

it('resolves with what it found, and waits no longer than until then', async () => {
  const { time, on } = virtual();
  const startMs = time.monotonicMs();
  const found = await time.run(waitFor(() => (time.monotonicMs() >= startMs + 20 ? 'there' : undefined), on));
  expect([found, time.monotonicMs()]).toEqual(['there', startMs + 20]);
  expect(time.pending).toBe(0);
});

it('awaits a look, and takes 0 and an empty text for something that is there', async () => {
  const { time, on } = virtual();
  expect(await time.run(waitFor(async () => 0, on))).toBe(0);
  expect(await time.run(waitFor(() => '', on))).toBe('');
});

it('gives up when it was told to, and says what did not come', async () => {
  const { time, on } = virtual();
  const startMs = time.monotonicMs();
  const waiting = time.run(waitFor(() => false, { ...on, timeoutMs: 100, what: 'the third order' }));
  await expect(waiting).rejects.toThrow('Waited 100 ms for the third order.');
  expect(time.monotonicMs()).toBe(startMs + 100);
});

it('gives up with what the last look threw', async () => {
  const { time, on } = virtual();
  const startMs = time.monotonicMs();
  const look = () => {
    throw new RangeError(`not at ${time.monotonicMs() - startMs}`);
  };
  await expect(time.run(waitFor(look, { ...on, timeoutMs: 100 }))).rejects.toThrow('not at 100');
});
