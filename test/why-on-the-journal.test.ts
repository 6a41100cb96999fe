import { ANONYMOUS } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { SeededChance, SimulatedDisk, VirtualTime } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { openOn, runtimeOn } from '../packages/core/test/open-engine.ts';
import { SituationSetUp } from '../packages/core/test/why/set-up.ts';
import { allSituations, nameOf, oracle } from '../packages/core/test/why/situations.ts';

/** Every so many of the situations: all of them take two minutes. */
const EVERY = Number(process.env['WHY_JOURNAL_EVERY'] ?? 11);

/** The matrix on a log on a disk: the reason is the one that an oracle knows. */
it('names the true reason on the journal', { timeout: 600_000 }, async () => {
  const wrong: string[] = [];
  for (const situation of allSituations().filter((_, at) => at % EVERY === 0)) {
    const time = new VirtualTime();
    const timers = time.scope();
    const setUp = new SituationSetUp(situation);
    const disk = new SimulatedDisk({ chance: new SeededChance(7), timers: time }).mount();
    const adapter = journal({ directory: '/data', disk, runtime: runtimeOn(time, timers) });
    const bus = await openOn(adapter, time, { timers, ...setUp.options });
    const { subscriptionId, eventId } = await setUp.run(bus);
    const answer = await time.run(bus.engine.explanations.why(ANONYMOUS, subscriptionId, eventId));
    const told = [answer.reason, ...answer.also.map(({ reason }) => reason)].join();
    const { reasons } = oracle(situation);
    if (told !== reasons.join()) wrong.push(`${nameOf(situation)}: ${told} instead of ${reasons.join()}`);
    await bus.close({ drainMs: 0 });
  }
  expect(wrong).toEqual([]);
});
