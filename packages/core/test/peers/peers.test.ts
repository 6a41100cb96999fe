import { describe, expect, it } from 'vitest';
import { LetterBox } from './letter-box.ts';

describe('processes that share a store', () => {
  it('know each other a moment after one came, and what each says of itself', async () => {
    const box = new LetterBox();
    const a = box.peers('a', () => ({ held: 3 }));
    const b = box.peers('b', () => ({ held: 5 }));
    a.peers.start();
    await box.time.advance(700);
    b.peers.start();
    await box.time.advance(20);
    expect([a.peers.live, b.peers.live]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect([b.peers.peer('a')?.facts, a.peers.peer('b')?.facts]).toEqual([{ held: 3 }, { held: 5 }]);
  });

  it('are gone after five seconds of silence, and at once when they say goodbye', async () => {
    const box = new LetterBox();
    const [a, b, c] = [box.peers('a'), box.peers('b'), box.peers('c')];
    for (const { peers } of [a, b, c]) peers.start();
    const gone: string[] = [];
    a.peers.onGone(({ name }) => gone.push(name));
    await box.time.advance(1_000);
    b.peers.stop();
    await box.time.advance(100);
    expect(gone).toEqual(['b']);
    c.timers.end();
    await box.time.advance(4_000);
    expect(gone).toEqual(['b']);
    await box.time.advance(3_000);
    expect(gone).toEqual(['b', 'c']);
    expect(a.peers.live).toEqual(['a']);
  });

  /** What was begun under the name before is nobody's any more. */
  it('that begin anew under their name are others, and letters of the life before are passed over', async () => {
    const box = new LetterBox();
    const a = box.peers('a');
    const before = box.peers('b');
    a.peers.start();
    before.peers.start();
    await box.time.advance(1_000);
    const lives: string[] = [];
    const gone: string[] = [];
    a.peers.onGone(({ life }) => gone.push(life));
    a.peers.on('x', (_letter, { life }) => lives.push(life));
    before.peers.post({ kind: 'x' }, 'a');
    await box.time.advance(100);
    before.timers.end();
    const after = box.peers('b');
    after.peers.start();
    await box.time.advance(100);
    after.peers.post({ kind: 'x' }, 'a');
    await box.time.advance(100);
    expect(gone.length).toBe(1);
    expect(new Set(lives).size).toBe(2);
    expect(lives[0]).toBe(gone[0]);
  });

  /** Else a process that was stopped before it sent, and hears of the others first, sends what is as old as its stop as new. */
  it('say of a letter what they had heard when it was posted, not when it is sent', async () => {
    const box = new LetterBox();
    const { peers } = box.peers('a');
    peers.start();
    box.arrive('a', 'b', { life: 'b', atMs: 100, letters: [{ kind: 'here', facts: {} }] });
    await box.time.advance(10);
    peers.post({ kind: 'x' }, 'b');
    box.arrive('a', 'b', { life: 'b', atMs: 18_100, letters: [{ kind: 'here', facts: {} }] });
    await box.time.advance(10);
    expect(box.carried.at(-1)).toMatchObject({ to: 'b', value: { letters: [{ kind: 'x' }], to: 'b', echoMs: 100 } });
    peers.post({ kind: 'y' }, 'b');
    await box.time.advance(10);
    expect(box.carried.at(-1)).toMatchObject({ value: { letters: [{ kind: 'y' }], echoMs: 18_100 } });
  });

  it('join the letters of one turn to one process', async () => {
    const box = new LetterBox();
    const [a, b] = [box.peers('a'), box.peers('b')];
    const got: unknown[] = [];
    b.peers.on('n', ({ n }) => got.push(n));
    for (const { peers } of [a, b]) peers.start();
    await box.time.advance(500);
    box.carried.length = 0;
    for (let n = 1; n <= 100; n++) a.peers.post({ kind: 'n', n }, 'b');
    await box.time.advance(10);
    expect(got).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
    expect(box.carried.length).toBe(1);
    const long = 'x'.repeat(30_000);
    for (let n = 1; n <= 5; n++) a.peers.post({ kind: 'n', n, long }, 'b');
    await box.time.advance(10);
    // More than fits into one envelope goes in several.
    expect(got.length).toBe(105);
    expect(box.carried.length).toBe(4);
  });

  /** A letter that waited in a socket while its reader slept must not pass for one that was just sent. */
  it('know how old a letter is at most, also after a sleep', async () => {
    const box = new LetterBox();
    const [a, b] = [box.peers('a'), box.peers('b')];
    const ages: number[] = [];
    b.peers.on('x', (_letter, _from, ageMs) => ages.push(ageMs));
    for (const { peers } of [a, b]) peers.start();
    await box.time.advance(1_500);
    a.peers.post({ kind: 'x' }, 'b');
    await box.time.advance(100);
    expect(ages[0]).toBeLessThanOrEqual(1_000);
    b.timers.suspend();
    a.peers.post({ kind: 'x' }, 'b');
    await box.time.advance(3_000);
    b.timers.resume();
    await box.time.advance(10);
    expect(ages[1]).toBeGreaterThanOrEqual(3_000);
    await box.time.advance(2_000);
    a.peers.post({ kind: 'x' }, 'b');
    await box.time.advance(10);
    expect(ages[2]).toBeLessThanOrEqual(1_100);
  });

  it('pass over what they cannot read, and tell of a mistake of their own', async () => {
    const box = new LetterBox();
    const [a, b] = [box.peers('a'), box.peers('b')];
    for (const { peers } of [a, b]) peers.start();
    b.peers.on('bug', () => {
      throw new TypeError('a mistake');
    });
    await box.time.advance(100);
    a.peers.post({ kind: 'unheard of' }, 'b');
    a.peers.post({ kind: 'bug' }, 'b');
    await box.time.advance(100);
    expect(box.failures).toEqual([new TypeError('a mistake')]);
    expect(b.peers.live).toEqual(['a', 'b']);
  });
});
