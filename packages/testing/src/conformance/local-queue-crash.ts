import { expect, it } from 'vitest';
import { expectConserved, readLedger } from './local-queue-ledger.ts';
import { DELIVERED, silence } from './local-queue-receiver.ts';
import { everySecond, type StartRig } from './local-queue-rig.ts';
import { sampleId } from './sample-event.ts';

const IN_FLIGHT_MAX = 5;

/** What is left of an engine that was killed. */
export function crashConformance(start: StartRig): void {
  whatWasUnderWay(start);
  howManyTimes(start);
}

function whatWasUnderWay(start: StartRig): void {
  it('delivers again what was under way, with a higher number, one at a time', async () => {
    const rig = await start({ options: { inFlightMax: IN_FLIGHT_MAX, maxConcurrency: 3 } });
    rig.receiver.answer = silence;
    const sent = await rig.publish(3);
    await rig.until(() => rig.receiver.underWay === 3);
    await rig.crash();
    rig.receiver.mostUnderWay = 0;
    rig.receiver.answer = async () => {
      await rig.time.wait(10);
      return DELIVERED;
    };
    await rig.open();
    await rig.settled();
    expect(sent.map(({ id }) => rig.receiver.attemptsOf(id))).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    expect(rig.receiver.mostUnderWay).toBe(1);
  });

  it('loses nothing that was under way or settled but not yet durable', async () => {
    const rig = await start({ options: { inFlightMax: IN_FLIGHT_MAX, maxConcurrency: IN_FLIGHT_MAX } });
    await rig.publish(1);
    await rig.settled();
    const release = rig.holdCommits();
    const answers = [DELIVERED, DELIVERED];
    rig.receiver.answer = () => answers.pop() ?? silence();
    const sent = await rig.publish(20);
    await rig.until(() => rig.receiver.underWay > 0 && answers.length === 0);
    await rig.crash();
    release();
    expect((await readLedger(rig)).lost).toEqual([]);
    await rig.open();
    rig.receiver.answer = () => DELIVERED;
    await rig.settled();
    for (const { id } of sent) expect([...rig.receiver.delivered.keys()]).toContain(id);
    await expectConserved(rig, IN_FLIGHT_MAX);
  });
}

function howManyTimes(start: StartRig): void {
  it('counts attempts on over unclean ends, and gives up an event that ends every process', async () => {
    const rig = await start({ options: { inFlightMax: IN_FLIGHT_MAX, retryPolicy: everySecond(2) } });
    rig.receiver.answer = ({ id }) => {
      if (id !== sampleId(0)) return DELIVERED;
      rig.kill();
      return silence();
    };
    const [deadly, ...rest] = Array.from({ length: 5 }, (_, n) => sampleId(n));
    await rig.survives(rig.publishSoon(5));
    for (let lives = 0; lives < 10 && !(await rig.survives(rig.engine.settled())); lives++) {
      await rig.crash();
      await rig.open();
    }
    // The first attempt leaves no record that it began; the three after it do, and spend the two retries and one more.
    expect(rig.receiver.attemptsOf(deadly!)).toEqual([1, 2, 3, 4]);
    const { letters } = await rig.records();
    expect(letters).toMatchObject([{ eventId: deadly, attempts: 4 }]);
    expect(letters[0]!.errors.map(({ code }) => code)).toEqual(['process_died', 'process_died', 'process_died']);
    expect(rest.every((id) => rig.receiver.delivered.has(id))).toBe(true);
  });

  it('repeats at most one window of confirmed deliveries for each unclean end', async () => {
    const rig = await start({ options: { inFlightMax: IN_FLIGHT_MAX, maxConcurrency: 3 } });
    rig.receiver.answer = async () => {
      await rig.time.wait(7);
      return DELIVERED;
    };
    for (const afterMs of [5, 60, 95, 130, 250]) {
      await rig.publish(30);
      await rig.elapse(afterMs);
      await rig.crash();
      await rig.open();
      await rig.settled();
    }
    await expectConserved(rig, IN_FLIGHT_MAX);
    expect(rig.receiver.duplicates.size).toBeGreaterThan(0);
    expect(rig.receiver.delivered.size).toBe(150);
  });
}
