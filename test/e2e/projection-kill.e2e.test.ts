import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { expect, it, onTestFinished } from 'vitest';
import { COUNTED, type Counted } from './support/counted-projection.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

/** `PROJECTION_KILLS=50` is the long run. */
const KILLS = Number(process.env['PROJECTION_KILLS'] ?? 6);
/** Events of one life: another number each time, so that a kill meets a commit, a fold or an append. */
const livesOf = (life: number) => 90 + ((life * 37) % 113);
const PROGRAM = join(import.meta.dirname, 'support/folding-program.ts');

interface Life {
  /** Events that were folded before anything new came: those behind what was kept. */
  readonly again: number;
  /** The next number. */
  readonly next: number;
}

/** Runs the program until it has so many events acknowledged, and kills it at once. */
async function live(directory: string, first: number, count: number): Promise<Life> {
  const child: ChildProcess = spawn(process.execPath, ['--conditions=source', PROGRAM, directory, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  onTestFinished(() => void child.kill('SIGKILL'));
  let again = -1;
  let next = first;
  for await (const line of createInterface({ input: child.stdout! })) {
    const said = JSON.parse(line) as { readonly caughtUp?: number; readonly acknowledged?: number };
    again = said.caughtUp ?? again;
    next = said.acknowledged ?? next;
    if (next >= first + count) child.kill('SIGKILL');
  }
  await exit;
  expect(child.signalCode).toBe('SIGKILL');
  return { again, next };
}

/** If it failed, a read model would be wrong for ever after a crash, and nobody would see it. */
it(`keeps a projection the fold of the log over ${KILLS} kill -9`, { timeout: 60_000 + KILLS * 10_000 }, async () => {
  const directory = temporaryDirectory();
  let next = 0;
  const again: number[] = [];
  for (let life = 0; life < KILLS; life++) {
    const lived = await live(directory, next, livesOf(life));
    next = lived.next;
    again.push(lived.again);
  }

  await using events = new EventManager({ adapter: journal({ directory }) });
  const fold = async (): Promise<Map<string, Counted>> => {
    const initial = () => new Map<string, Counted>();
    return events.foldEvents({
      topic: COUNTED.topic,
      initial,
      apply: (states, event) => {
        const key = COUNTED.key(event);
        states.set(key, COUNTED.apply(states.get(key) ?? COUNTED.initial, event));
      },
    });
  };
  const before = await fold();
  const stored = [...before.values()].reduce((sum, { count }) => sum + count, 0);
  // What was acknowledged is there; what was under way at a kill may be.
  expect(stored).toBeGreaterThanOrEqual(next);
  const kept = await events.getProjection(COUNTED.name);
  await using projection = await events.project(COUNTED);
  await projection.caughtUp();
  const states = new Map<string, Counted | undefined>();
  for (const key of await projection.keys()) states.set(key, await projection.get(key));
  expect(states).toEqual(before);
  expect([(await events.getProjection(COUNTED.name)).folded, projection.gaps]).toEqual([stored, []]);
  process.stdout.write(
    `${JSON.stringify({ test: 'projection-kill', kills: KILLS, stored, kept: kept.folded, again })}\n`,
  );
  // It went on from what was kept, and did not begin anew each time.
  expect(kept.folded).toBeGreaterThan(stored / 2);
  expect(again.at(-1)).toBeLessThan(stored / 2);
});
