import { ANONYMOUS, type DeadLetter, isEventManagerError, type Run } from '@event-manager/core';
import type { Plan } from '../plan.ts';
import { deliveriesOf } from '../seen-delivery.ts';
import { saidIn } from '../verdict.ts';
import type { Feature, LiveSubscription } from './feature.ts';

/**
 * Somebody takes up what a subscription gave up on, asks for it twice, and stops and resumes that, while everything goes wrong; and once
 * more when nothing does. Whatever happens to processes, a letter that was redriven is handed over once more at least, not more often
 * than failures explain, and tells who did that and by which run.
 */
export const redrive: Feature = (chance, _subscription, plan) => {
  if (!chance.happens(0.3)) return undefined;
  const afterMs = 1_000 + chance.integer(6_000);
  const againAfterMs = chance.integer(1_000);
  const pauseAfterMs = chance.integer(1_000);
  const rate = chance.pick([5, 50, 1_000]);
  const started: string[] = [];
  const request = (live: LiveSubscription) => ({ subscriptions: live.plan.name, rate });
  return {
    ...{ afterMs, againAfterMs, pauseAfterMs, rate },
    answers: { reject: 0.2 },
    live(live) {
      const { time, operate } = live;
      if (!isFit(live)) return;
      const begin = async () => {
        const run = await operate((engine) => engine.redrives.start(ANONYMOUS, 'redrive', request(live), engine.runs));
        if (run && 'id' in run) started.push(run.id);
      };
      const say = (what: 'pause' | 'resume') => {
        for (const id of started) void operate((engine) => engine.runs[what](ANONYMOUS, id));
      };
      time.after(afterMs, begin);
      time.after(afterMs + againAfterMs, begin);
      time.after(afterMs + againAfterMs + pauseAfterMs, () => say('pause'));
      time.after(afterMs + againAfterMs + 2 * pauseAfterMs, () => say('resume'));
    },
    async heal(live) {
      if (!isFit(live)) return;
      for (const id of started) await live.insist(async (engine) => resumed(() => engine.runs.resume(ANONYMOUS, id)));
      const run = await live.insist((engine) =>
        engine.redrives.start(ANONYMOUS, 'redrive', request(live), engine.runs),
      );
      if ('id' in run) started.push(run.id);
    },
    async whileHealing({ operate }) {
      for (const id of started) {
        const run = await operate((engine) => engine.runs.get(ANONYMOUS, id));
        // What was said to a process that stood still may come to pass as late as now.
        if (run?.state === 'paused') void operate((engine) => engine.runs.resume(ANONYMOUS, id));
        if (run?.endedAtMs === undefined) return `the redrive ${id} has not ended: it is ${run?.state}`;
      }
      return undefined;
    },
    async judge(_report, live) {
      if (!isFit(live)) return [];
      const letters = await live.insist((engine) => engine.deadLetters.all(ANONYMOUS, live.id));
      // Also those of which nobody heard that they began.
      const runs = await live.insist((engine) => engine.runs.list(ANONYMOUS, { kind: 'redrive' }));
      if (letters.some(({ state }) => state === 'redriven')) live.did('redrive');
      return [
        ...handedOnce(letters, live, isCalm(plan) && !('members' in live.plan.traits)),
        ...faultsOfAudit(letters, runs, live),
      ];
    },
  };
};

/** Where an order is kept a letter that is taken up is out of it, and at twelve a minute it takes longer than a run lasts. */
function isFit({ plan }: LiveSubscription): boolean {
  return !('order' in plan.traits) && !('rateLimit' in plan.traits);
}

async function resumed(resume: () => Promise<Run>): Promise<object> {
  try {
    return await resume();
  } catch (error) {
    if (isEventManagerError(error, 'run_ended')) return {};
    throw error;
  }
}

/** Nothing ends, stands still or is lost, where no members leave: an attempt is made once more only because it failed. */
function isCalm({ crashAt, crashAfterMs, faults, engines }: Plan): boolean {
  return crashAt.length === 0 && crashAfterMs.length === 0 && faults.length === 0 && engines === 1;
}

function handedOnce(letters: readonly DeadLetter[], live: LiveSubscription, calm: boolean): string[] {
  const { plan, history } = live;
  const wrong: string[] = [];
  // What it wants at one time it may not want when the letter has its turn.
  const changes = 'update' in plan.traits || 'relevance' in plan.traits;
  for (const letter of letters) {
    if (letter.state !== 'redriven') continue;
    const { eventId, round, closed } = letter;
    const nextRound = closed?.round ?? round + 1;
    const next = letters.find((other) => other.eventId === eventId && other.round === nextRound);
    const life = saidIn(nextRound, deliveriesOf(history, plan.name, eventId));
    const mayExpire = JSON.parse(letter.event).metadata.expiresAt !== undefined;
    const name = `of ${eventId} at ${plan.name}, round ${round}`;
    // Its one attempt was made durable, and the process died before it handed that over.
    const hasDied = next?.errors.some(({ code }) => code === 'process_died') === true;
    if (life.length === 0 && !changes && !mayExpire && !hasDied)
      wrong.push(`D5 the letter ${name}, was redriven and not handed over`);
    const taken = life.filter((answer) => answer === 'ok').length;
    if (calm && taken > 1) wrong.push(`D5 the letter ${name}, was taken ${taken} times after one redrive`);
    if (next && !life.some((answer) => answer !== 'ok') && calm)
      wrong.push(`D5 the letter ${name}, died without a failure`);
  }
  return wrong;
}

function faultsOfAudit(
  letters: readonly DeadLetter[],
  runs: readonly Run[],
  { id: subscriptionId, plan }: LiveSubscription,
): string[] {
  const wrong: string[] = [];
  // A reset drops debts that came out of letters, and then these are as if nobody had redriven them.
  const isReset = 'reset' in plan.traits;
  for (const { id, parts } of runs) {
    const part = parts.find((each) => each.subscriptionId === subscriptionId);
    const closed = letters.filter((letter) => letter.closed?.runId === id).length;
    const done = part?.counts.done ?? 0;
    if (isReset ? done < closed : done !== closed)
      wrong.push(`D5 the redrive ${id} says that it did ${done} letters, and ${closed} name it`);
  }
  for (const { id, round, state, closed, redriven } of letters) {
    const isNamed =
      closed && closed.by === ANONYMOUS.id && closed.atMs > 0 && runs.some((run) => run.id === closed.runId);
    if (state === 'redriven' && !isNamed) wrong.push(`D5 the letter ${id} does not tell who redrove it`);
    // A life after a reset begins in a later round.
    if (round === 0 || (isReset && redriven === undefined)) continue;
    const before = letters.find((other) => other.id === redriven?.letterId);
    if (before?.state !== 'redriven' || before.closed?.runId !== redriven?.runId) {
      wrong.push(`D5 the letter ${id} of round ${round} does not name the one that it was`);
    }
  }
  return wrong;
}
