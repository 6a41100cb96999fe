import { VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import type { Delivery, Outcome, Sink } from '../../src/contracts/sink.ts';
import type { PlantedBug } from '../../src/runtime/runtime.ts';
import { FallbackSink } from '../../src/sink/fallback-sink.ts';

/** A way that a test makes go up and down. */
class Way implements Sink {
  isUp: boolean;
  taken = 0;
  closed = 0;
  #tell: () => void = () => {};

  constructor(isUp = true) {
    this.isUp = isUp;
  }

  watch(onChange: () => void): void {
    this.#tell = onChange;
  }

  turn(isUp: boolean): void {
    this.isUp = isUp;
    this.#tell();
  }

  deliver(batch: readonly Delivery[]): readonly Outcome[] {
    this.taken += batch.length;
    return batch.map(() => ({ status: 'delivered' }));
  }

  async close(): Promise<void> {
    this.closed++;
  }
}

function setUp(isUp = true, patienceMs = 500) {
  const time = new VirtualTime();
  const primary = new Way(isUp);
  const fallback = new Way();
  const switched: string[] = [];
  let changes = 0;
  const runtime = { clock: time, timers: time, planted: new Set<PlantedBug>() };
  const sink = new FallbackSink({ primary, fallback, patienceMs, runtime, onSwitched: (way) => switched.push(way) });
  sink.watch(() => changes++);
  const deliver = () => sink.deliver([{} as Delivery], {} as never);
  return { time, primary, fallback, switched, sink, deliver, changed: () => changes };
}

/** Without the way back everything would go by webhook for ever; without patience every hiccup would be a switch. */
describe('fallbackSink', () => {
  it('goes by the first way while it is up', async () => {
    const { time, primary, fallback, deliver, sink } = setUp();
    deliver();
    await time.advance(60_000);
    deliver();
    expect([primary.taken, fallback.taken, sink.isUp]).toEqual([2, 0, true]);
    expect(sink.realtime).toEqual({ connected: true, way: 'realtime', switches: 0 });
  });

  it('takes the other one after its patience, and claims nothing meanwhile', async () => {
    const { time, primary, fallback, deliver, sink, switched, changed } = setUp();
    primary.turn(false);
    expect(sink.isUp).toBe(false);
    await time.advance(499);
    expect(switched).toEqual([]);
    const before = changed();
    await time.advance(1);
    expect(switched).toEqual(['fallback']);
    expect(sink.isUp).toBe(true);
    expect(changed()).toBeGreaterThan(before);
    deliver();
    expect([primary.taken, fallback.taken]).toEqual([0, 1]);
    expect(sink.realtime).toEqual({ connected: false, way: 'fallback', switches: 1 });
  });

  it('does not mind a short loss', async () => {
    const { time, primary, switched } = setUp();
    primary.turn(false);
    await time.advance(400);
    primary.turn(true);
    await time.advance(60_000);
    expect(switched).toEqual([]);
  });

  it('is back after a second, and later each time when it does not last', async () => {
    const { time, primary, switched, deliver, fallback } = setUp(true, 0);
    const backAfterMs: number[] = [];
    for (let loss = 0; loss < 7; loss++) {
      primary.turn(false);
      await time.advance(1);
      primary.turn(true);
      deliver();
      const sinceMs = time.monotonicMs();
      while (switched.at(-1) === 'fallback') await time.advance(250);
      backAfterMs.push(time.monotonicMs() - sinceMs);
    }
    expect(backAfterMs).toEqual([1_000, 2_000, 4_000, 5_000, 5_000, 5_000, 5_000]);
    expect(fallback.taken).toBe(7);
    await time.advance(60_000);
    primary.turn(false);
    await time.advance(1);
    primary.turn(true);
    await time.advance(1_000);
    expect(switched.at(-1)).toBe('realtime');
  });

  it('stays with the fallback when the first way goes again before it is trusted', async () => {
    const { time, primary, switched } = setUp(true, 0);
    primary.turn(false);
    await time.advance(1);
    primary.turn(true);
    await time.advance(900);
    primary.turn(false);
    await time.advance(60_000);
    expect(switched).toEqual(['fallback']);
  });

  it('begins with the fallback when nobody is there', async () => {
    const { time, switched, deliver, fallback } = setUp(false);
    await time.advance(500);
    deliver();
    expect([switched, fallback.taken]).toEqual([['fallback'], 1]);
  });

  it('closes both and turns no more', async () => {
    const { time, primary, fallback, sink, switched } = setUp();
    primary.turn(false);
    await sink.close();
    await time.advance(60_000);
    primary.turn(true);
    expect([primary.closed, fallback.closed, switched]).toEqual([1, 1, []]);
  });
});
