import { Turns } from '@event-manager/core';
import { expect, it } from 'vitest';

/** A loop that turns when it is told to, and work that takes as long as it says. */
function handTurned() {
  let nowMs = 0;
  let soon: (() => void)[] = [];
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs };
  const turns = new Turns({ clock, timers: { after: () => () => {}, soon: (run) => void soon.push(run) } });
  const done: string[] = [];
  return {
    turns,
    done,
    work: (name: string, ms: number) => () => {
      nowMs += ms;
      done.push(name);
    },
    turn() {
      const due = soon;
      soon = [];
      for (const run of due) run();
    },
  };
}

const microtasks = () => new Promise((resolve) => setImmediate(resolve));

it('does work at once while the turn has time for it, and the rest in the order of asking', async () => {
  const { turns, done, work, turn } = handTurned();
  for (const name of ['a', 'b', 'c', 'd', 'e']) turns.run(work(name, 3));
  expect(done).toEqual(['a', 'b']);
  // Whoever comes back does not overtake those who wait.
  turns.run(work('a again', 3));
  await microtasks();
  turn();
  expect(done).toEqual(['a', 'b', 'c', 'd']);
  await microtasks();
  turn();
  await microtasks();
  turn();
  expect(done).toEqual(['a', 'b', 'c', 'd', 'e', 'a again']);
});

it('ends a turn by bytes and by pieces, too: where time stands still it would never end', async () => {
  const large = handTurned();
  for (const name of ['a', 'b', 'c']) large.turns.run(large.work(name, 0), 200 * 1024);
  expect(large.done).toEqual(['a', 'b']);
  const many = handTurned();
  for (let piece = 0; piece < 1_000; piece++) many.turns.run(many.work('a', 0));
  await microtasks();
  expect(many.done.length).toBe(256);
});

it('lets few pieces wait for the store at a time, and goes on as soon as one has its answer', async () => {
  const { turns, done, turn } = handTurned();
  const answers: (() => void)[] = [];
  for (let piece = 0; piece < 6; piece++) {
    turns.run(() => {
      done.push('asked');
      return new Promise<void>((resolve) => void answers.push(resolve));
    });
  }
  turn();
  expect(done.length).toBe(4);
  answers[2]!();
  await microtasks();
  expect(done.length).toBe(5);
});

it('resolves with what the work returns and rejects with what it throws, now and later', async () => {
  const { turns, work, turn } = handTurned();
  const fail = () => {
    throw new TypeError('No.');
  };
  expect(await turns.run(async () => 1)).toBe(1);
  await expect(turns.run(fail)).rejects.toThrow('No.');
  turns.run(work('long', 100));
  const later = [turns.run(() => 2), turns.run(fail)];
  turn();
  expect(await later[0]).toBe(2);
  await expect(later[1]).rejects.toThrow('No.');
});
