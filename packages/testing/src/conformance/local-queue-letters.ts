import { describe, expect, it } from 'vitest';
import { expectConserved } from './local-queue-ledger.ts';
import { DELIVERED, failure, rejection } from './local-queue-receiver.ts';
import { everySecond, type StartRig } from './local-queue-rig.ts';

const IN_FLIGHT_MAX = 4;

/** Deliveries that were given up. */
export function letterConformance(start: StartRig): void {
  it('keeps the bytes of the event and every error in the dead letter, also after the event was retried', async () => {
    const rig = await start({ options: { retryPolicy: everySecond(2) } });
    rig.receiver.answer = ({ attempt }) => failure(`attempt ${attempt} failed`);
    const [event] = await rig.publish(1, { payload: { text: 'Ünïcode \u0001 日本', numbers: [1e21, -0.5] } });
    await rig.elapse(1_500);
    await rig.restart();
    await rig.settled();
    await rig.restart();
    const [letter, ...more] = (await rig.records()).letters;
    expect(more).toEqual([]);
    expect(letter).toMatchObject({
      state: 'open',
      eventId: event!.id,
      round: 0,
      attempts: 3,
      reason: 'attempt 3 failed',
    });
    expect(letter!.errors.map(({ attempt, code, message }) => [attempt, code, message])).toEqual([
      [1, 'http_503', 'attempt 1 failed'],
      [2, 'http_503', 'attempt 2 failed'],
      [3, 'http_503', 'attempt 3 failed'],
    ]);
    expect(letter!.event).toBe(rig.appended.get(event!.id)!.toString());
    expect(await rig.run(rig.engine.deadLetters.all({ id: 'test', kind: 'service' }, rig.id))).toEqual([letter]);
  });

  describe('commits a settlement and its dead letter together', () => {
    it.each(['checkpoint.before-commit', 'checkpoint.after-commit'])('killed at every %s', async (failpoint) => {
      for (let at = 1; await killedAt(start, failpoint, at); at++) expect(at).toBeLessThan(100);
    });
  });
}

/** Rejects and exhausts some of ten events and is killed when a failpoint is passed the `at`th time; false if it was not. */
async function killedAt(start: StartRig, failpoint: string, at: number): Promise<boolean> {
  const rig = await start({ options: { inFlightMax: IN_FLIGHT_MAX, retryPolicy: everySecond(1) } });
  rig.receiver.answer = ({ id }) => {
    const n = [...rig.appended.keys()].indexOf(id);
    return [DELIVERED, rejection('never'), failure('no')][n % 3]!;
  };
  let passed = 0;
  rig.onFailpoint = (name) => {
    if (name === failpoint && ++passed === at) rig.kill();
  };
  await rig.publish(10);
  const wasKilled = !(await rig.survives(rig.engine.settled()));
  if (wasKilled) {
    await rig.crash();
    await expectConserved(rig, IN_FLIGHT_MAX);
    await rig.open();
    await rig.settled();
  }
  const ledger = await expectConserved(rig, IN_FLIGHT_MAX);
  expect([ledger.waiting, ledger.owed]).toEqual([[], []]);
  expect(ledger.dead).toHaveLength(6);
  return wasKilled;
}
