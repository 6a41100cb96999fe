import { expect, it } from 'vitest';
import { DELIVERED, silence } from './local-queue-receiver.ts';
import type { StartRig } from './local-queue-rig.ts';

const IN_FLIGHT_MAX = 10;

/** What may be open at once, and that nothing is open after a clean end. */
export function windowConformance(start: StartRig): void {
  whileOpen(start);
  atTheEnd(start);
}

function whileOpen(start: StartRig): void {
  it('claims no more than inFlightMax from a receiver that does not answer', async () => {
    const rig = await start({ options: { inFlightMax: IN_FLIGHT_MAX, maxConcurrency: 100 } });
    rig.receiver.answer = silence;
    await rig.publish(100);
    await rig.elapse(1_000);
    expect([rig.receiver.underWay, rig.status.inFlight]).toEqual([IN_FLIGHT_MAX, IN_FLIGHT_MAX]);
  });

  it('attempts no more than inFlightMax while settlements cannot be made durable', async () => {
    const rig = await start({ options: { inFlightMax: IN_FLIGHT_MAX, maxConcurrency: 3, batchSize: 2 } });
    await rig.publish(1);
    await rig.settled();
    await rig.restart();
    const before = rig.receiver.seen.length;
    await rig.publish(1);
    await rig.settled();
    const release = rig.holdCommits();
    await rig.publish(100);
    await rig.elapse(1_000);
    const attempted = rig.receiver.seen.length - before - 1;
    expect(attempted).toBeGreaterThan(0);
    expect(attempted).toBeLessThanOrEqual(IN_FLIGHT_MAX);
    release();
    await rig.settled();
    expect(rig.receiver.delivered.size).toBe(102);
  });

  it('has every attempt covered by a durable record before it is made', async () => {
    const rig = await start({ options: { inFlightMax: IN_FLIGHT_MAX, maxConcurrency: 5 } });
    rig.receiver.answer = async ({ attempt, position }) => {
      await rig.time.wait(20);
      if (attempt === 1 && position % 7 === 0) return { status: 'retry', error: { code: 'http_500', message: 'once' } };
      return DELIVERED;
    };
    for (let at = 0; at < 6; at++) await rig.publish(40, { priority: at % 2 === 0 ? 2 : 0 });
    await rig.restart();
    await rig.settled();
    expect(rig.receiver.seen.length).toBeGreaterThan(240);
    expect(rig.uncovered).toEqual([]);
  });
}

function atTheEnd(start: StartRig): void {
  it('leaves nothing open at a clean end: what is reserved is what was looked at', async () => {
    const rig = await start({ options: { inFlightMax: IN_FLIGHT_MAX } });
    await rig.publish(50, { priority: 1 });
    await rig.settled();
    await rig.close();
    for (const { scanned, reserved, settled } of (await rig.records()).lanes) {
      expect([reserved, settled]).toEqual([scanned, []]);
    }
  });

  it('lets attempts under way end when it is closed, and repeats nothing afterwards', async () => {
    const rig = await start({ options: { inFlightMax: IN_FLIGHT_MAX, maxConcurrency: 4 } });
    rig.receiver.answer = async () => {
      await rig.time.wait(100);
      return DELIVERED;
    };
    const sent = await rig.publish(50);
    await rig.elapse(250);
    expect(rig.receiver.underWay).toBeGreaterThan(0);
    await rig.close();
    for (const { scanned, reserved } of (await rig.records()).lanes) expect(reserved).toBe(scanned);
    await rig.subject.throughReopen();
    await rig.open();
    await rig.settled();
    expect(rig.receiver.ids()).toEqual(sent.map(({ id }) => id));
    expect(rig.receiver.seen.every(({ attempt }) => attempt === 1)).toBe(true);
  });

  it('keeps what did not end in time owed when it is closed, at no cost', async () => {
    const rig = await start({ options: { inFlightMax: IN_FLIGHT_MAX, maxConcurrency: 2, timeoutMs: 60_000 } });
    rig.receiver.answer = silence;
    const [first, second, third] = await rig.publish(3);
    await rig.elapse(100);
    await rig.close();
    const positions = await rig.positionOf([first!.id, second!.id]);
    const { owed } = await rig.records();
    expect([...owed.keys()]).toEqual(positions);
    for (const debt of owed.values())
      expect(debt).toMatchObject({ attempt: 1, failures: 0, started: false, errors: [] });
    await rig.subject.throughReopen();
    rig.receiver.answer = () => DELIVERED;
    await rig.open();
    await rig.settled();
    expect([first, second, third].map((event) => rig.receiver.attemptsOf(event!.id))).toEqual([[1, 2], [1, 2], [1]]);
  });
}
