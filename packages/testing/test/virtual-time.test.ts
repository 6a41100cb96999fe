import { describe, expect, it } from 'vitest';
import { VirtualTime } from '../src/virtual-time.ts';

describe('VirtualTime', () => {
  it('runs entries by time, and those of one time in the order of asking', async () => {
    const time = new VirtualTime();
    const ran: string[] = [];
    time.after(20, () => ran.push('20'));
    time.after(10, () => ran.push('10 first'));
    time.after(10, () => ran.push('10 second'));
    time.soon(() => ran.push('soon'));
    await time.runUntilIdle();
    expect(ran).toEqual(['soon', '10 first', '10 second', '20']);
  });

  it('keeps the order of a thousand entries added and cancelled in a mess', async () => {
    const time = new VirtualTime();
    const startMs = time.monotonicMs();
    const ran: number[] = [];
    const cancels: (() => void)[] = [];
    for (let i = 0; i < 1000; i++) {
      const delayMs = (i * 7919) % 997;
      cancels.push(time.after(delayMs, () => ran.push(time.monotonicMs() - startMs)));
    }
    for (let i = 0; i < 1000; i += 3) cancels[i]!();
    expect(time.pending).toBe(666);
    await time.runUntilIdle();
    expect(ran).toHaveLength(666);
    expect(ran).toEqual(ran.toSorted((a, b) => a - b));
  });

  it('lets long promise chains settle between two entries', async () => {
    const time = new VirtualTime();
    const seen: string[] = [];
    time.after(1, async () => {
      for (let i = 0; i < 500; i++) await undefined;
      seen.push('chain');
    });
    time.after(1, () => seen.push('next'));
    await time.runUntilIdle();
    expect(seen).toEqual(['chain', 'next']);
  });

  it('shows each entry its own time and stops exactly where it was sent', async () => {
    const time = new VirtualTime({ monotonicMs: 100 });
    const seen: number[] = [];
    time.after(5, () => seen.push(time.monotonicMs()));
    time.after(50, () => seen.push(time.monotonicMs()));
    await time.advance(20);
    expect(seen).toEqual([105]);
    expect(time.monotonicMs()).toBe(120);
    expect(time.pending).toBe(1);
  });

  it('never runs a cancelled entry, and cancelling late or twice does nothing', async () => {
    const time = new VirtualTime();
    let runs = 0;
    const cancel = time.after(1, () => runs++);
    cancel();
    cancel();
    const late = time.after(1, () => runs++);
    await time.runUntilIdle();
    late();
    expect([runs, time.pending]).toEqual([1, 0]);
  });

  it('moves the wall clock without touching the monotonic one', () => {
    const time = new VirtualTime({ wallMs: 1_000_000, monotonicMs: 5 });
    time.jumpWall(-400_000);
    expect([time.wallMs(), time.monotonicMs()]).toEqual([600_000, 5]);
  });

  it('says so when a program never becomes idle or a condition never holds', async () => {
    const time = new VirtualTime();
    const again = () => void time.after(1000, again);
    again();
    await expect(time.runUntilIdle(60_000)).rejects.toThrow('Not idle');
    await expect(time.runUntil(() => false, 60_000)).rejects.toThrow('condition does not hold');
    await expect(new VirtualTime().runUntil(() => false)).rejects.toThrow('nothing is left');
  });

  it('passes on what an entry throws', async () => {
    const time = new VirtualTime();
    time.after(1, () => {
      throw new RangeError('planted');
    });
    await expect(time.runUntilIdle()).rejects.toThrow('planted');
  });

  it('drives work to its result, and drives in the background until told to stop', async () => {
    const time = new VirtualTime();
    const work = async () => {
      await time.wait(3_600_000);
      return 'done';
    };
    expect(await time.run(work())).toBe('done');
    const stop = time.runInBackground();
    expect(await work()).toBe('done');
    stop();
    let ran = false;
    time.after(1, () => {
      ran = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(ran).toBe(false);
  });

  it('silences the timers of a process that ended', async () => {
    const time = new VirtualTime();
    const dead = time.scope();
    const alive = time.scope();
    const ran: string[] = [];
    dead.after(1, () => ran.push('dead'));
    dead.soon(() => ran.push('dead'));
    alive.after(1, () => ran.push('alive'));
    dead.end();
    dead.after(1, () => ran.push('dead'));
    await time.runUntilIdle();
    expect(ran).toEqual(['alive']);
  });

  it('holds back what comes due in a process that stands still, and lets it run in that order when it goes on', async () => {
    const time = new VirtualTime();
    const process = time.scope();
    const ran: string[] = [];
    process.after(20, () => ran.push('second'));
    process.after(10, () => ran.push('first'));
    const cancel = process.after(30, () => ran.push('cancelled'));
    process.suspend();
    await time.advance(100);
    expect(ran).toEqual([]);
    process.after(5, () => ran.push('third'));
    cancel();
    process.resume();
    await time.advance(5);
    expect(ran).toEqual(['first', 'second', 'third']);
  });
});

describe('keeping up', () => {
  it('does what is due now by itself, and moves no clock', async () => {
    const time = new VirtualTime();
    const stop = time.keepUp();
    const startMs = time.monotonicMs();
    const done: string[] = [];
    time.after(1, () => done.push('later'));
    await new Promise<void>((resolve) => time.soon(resolve));
    await time.wait(0);
    expect([done, time.monotonicMs()]).toEqual([[], startMs]);
    await time.advance(1);
    expect(done).toEqual(['later']);
    stop();
    time.soon(() => done.push('nobody drives'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toEqual(['later']);
  });

  it('leaves the time to a drive of the test while that is under way', async () => {
    const time = new VirtualTime();
    const stop = time.keepUp();
    const done: number[] = [];
    const again = (left: number) => {
      done.push(time.monotonicMs());
      if (left > 0) time.soon(() => again(left - 1));
    };
    time.after(5, () => again(3));
    time.after(5, () => done.push(0));
    await time.advance(5);
    const at = time.monotonicMs();
    expect(done).toEqual([at, 0, at, at, at]);
    stop();
  });
});
