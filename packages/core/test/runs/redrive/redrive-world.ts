import { ANONYMOUS, type DeadLetter, type EventHandler, type Principal } from '@event-manager/core';
import type { SelectedLetters } from '../../../src/runs/redrive/scan-letters.ts';
import type { Run } from '../../../src/runs/run.ts';
import { durableWorld, type EngineUnderTest, fixedRetry, type SetUp } from '../../open-engine.ts';

/** What a receiver was handed: the number of the event, the attempt, and when. */
export interface Handed {
  readonly n: number;
  readonly attempt: number;
  readonly atMs: number;
  readonly by: EngineUnderTest;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** A durable world with a subscription that refuses everything for good until it is well. */
export function redriveWorld(options: Record<string, unknown> = {}) {
  const world = durableWorld();
  const handed: Handed[] = [];
  const receiver = { isWell: false, answer: undefined as EventHandler | undefined };
  const start = async (setUp: SetUp = {}, more: Record<string, unknown> = {}): Promise<EngineUnderTest> => {
    const bus = await world.open(setUp);
    await bus.subscribe({
      name: 's',
      handler: (event, facts) => {
        // A dead process does nothing any more, whatever its code still tries.
        if (!bus.isAlive) return new Promise(() => {});
        const { payload } = event;
        const atMs = world.time.monotonicMs();
        handed.push({ n: payload['n'] as number, attempt: facts.attempt, atMs, by: bus, payload });
        if (receiver.answer) return receiver.answer(event, facts);
        return receiver.isWell ? undefined : { success: false, retry: false, error: `no room for ${payload['n']}` };
      },
      options: { retryPolicy: fixedRetry(0), ...options, ...more },
    });
    return bus;
  };
  return { ...world, handed, receiver, start };
}

export async function redrive(bus: EngineUnderTest, request: object, principal: Principal = ANONYMOUS): Promise<Run> {
  const { redrives, runs } = bus.engine;
  return (await bus.time.run(redrives.start(principal, 'redrive', request, runs))) as Run;
}

export async function discard(bus: EngineUnderTest, request: object): Promise<Run> {
  const { redrives, runs } = bus.engine;
  return (await bus.time.run(redrives.start(ANONYMOUS, 'discard', request, runs))) as Run;
}

export async function dryRun(bus: EngineUnderTest, request: object): Promise<SelectedLetters> {
  const { redrives, runs } = bus.engine;
  const answer = redrives.start(ANONYMOUS, 'redrive', { ...request, dryRun: true }, runs);
  return (await bus.time.run(answer)) as SelectedLetters;
}

/** The run when it has ended. */
export async function ended(bus: EngineUnderTest, { id }: Run, limitMs = 600_000): Promise<Run> {
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs += 100) {
    const run = await bus.time.run(bus.engine.runs.get(ANONYMOUS, id));
    if (run.endedAtMs !== undefined) return run;
    await bus.time.advance(100);
  }
  throw new Error('The run did not end.');
}

export function byState(letters: readonly DeadLetter[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of letters) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
