import { ANONYMOUS, memory, type Why } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, openOn } from '../open-engine.ts';
import { SeveralEngines } from '../several-engines.ts';
import { SituationSetUp } from './set-up.ts';
import { allSituations, nameOf, oracle, oracleAfterRestart, type Situation } from './situations.ts';

const situations = allSituations();
/** With several processes every so many: all of them take twenty seconds. */
const SHARED_EVERY = Number(process.env['WHY_SHARED_EVERY'] ?? 4);

async function ask(bus: EngineUnderTest, ids: { subscriptionId: string; eventId: string }): Promise<Why> {
  return bus.time.run(bus.engine.explanations.why(ANONYMOUS, ids.subscriptionId, ids.eventId));
}

/** One line for a wrong answer; `undefined` for a right one. */
function mistake(situation: Situation, answer: Why, truth = oracle): string | undefined {
  const { reasons, certain } = truth(situation);
  const told = [answer.reason, ...answer.also.map(({ reason }) => reason)];
  if (told.join() === reasons.join() && (certain === undefined || certain === answer.certain)) return undefined;
  const doubt = certain === undefined || certain === answer.certain ? '' : ` (certain: ${answer.certain})`;
  return `${nameOf(situation)}: ${told.join(', ')}${doubt} instead of ${reasons.join(', ')}`;
}

describe('in every situation the true reason is named', () => {
  it('is asked of more than three hundred', () => {
    process.stdout.write(`${JSON.stringify({ test: 'why', situations: situations.length })}\n`);
    expect(situations.length).toBeGreaterThanOrEqual(300);
  });

  it('on the memory adapter', async () => {
    const wrong: string[] = [];
    for (const situation of situations) {
      const time = new VirtualTime();
      const setUp = new SituationSetUp(situation);
      const bus = await openOn(memory({ runtime: { clock: time } }), time, setUp.options);
      const found = mistake(situation, await ask(bus, await setUp.run(bus)));
      if (found) wrong.push(found);
      await bus.close({ drainMs: 0 });
    }
    expect(wrong).toEqual([]);
  });

  it('on a durable adapter, also after a restart where that changes nothing', async () => {
    const wrong: string[] = [];
    for (const situation of situations) {
      const setUp = new SituationSetUp(situation);
      const world = durableWorld();
      const bus = await world.open(setUp.options);
      const ids = await setUp.run(bus);
      const found = mistake(situation, await ask(bus, ids));
      if (found) wrong.push(found);
      await bus.close({ drainMs: 0 });
      if (!outlives(situation)) continue;
      const again = await world.open(setUp.options);
      const afterwards = mistake(situation, await ask(again, ids), oracleAfterRestart);
      if (afterwards) wrong.push(`restarted: ${afterwards}`);
      await again.close({ drainMs: 0 });
    }
    expect(wrong).toEqual([]);
  });

  it('at each of several processes that share a store, with the same words', { timeout: 120_000 }, async () => {
    const wrong: string[] = [];
    for (const situation of situations.filter((_, at) => at % SHARED_EVERY === 0)) {
      const setUp = new SituationSetUp(situation);
      const engines = await SeveralEngines.of(2, setUp.options);
      const [first, second] = engines.all as [EngineUnderTest, EngineUnderTest];
      const ids = await setUp.run(first);
      await engines.time.advance(1_500);
      const answers = [await ask(first, ids), await ask(second, ids)] as const;
      const found = mistake(situation, answers[0]);
      if (found) wrong.push(found);
      const [here, there] = answers.map((answer) => JSON.stringify(answer));
      if (here !== there) wrong.push(`${nameOf(situation)}: ${here} here, ${there} there`);
      await engines.close();
    }
    expect(wrong).toEqual([]);
  });
});

/** What holds by what is durable, and with nobody attached. */
function outlives({ stand, hold }: Situation): boolean {
  if (stand === 'under-way' || stand === 'lane') return false;
  return hold === 'paused' || hold === 'stopped' || hold === 'detached' || hold === 'not-pulled';
}
