import { describe, expect, it } from 'vitest';
import type { ClaimedDelivery } from '../../../src/dispatch/claim.ts';
import { Breaker } from '../../../src/dispatch/failure/breaker.ts';

const POLICY = { failures: 3, windowMs: 1_000, openMs: 100 };
const exact = { fraction: () => 0, fill: () => {} };
const delivery = () => ({}) as ClaimedDelivery;

function breaker(policy: Partial<typeof POLICY> = {}) {
  return new Breaker({ ...POLICY, ...policy }, exact);
}

function fail(subject: Breaker, times: number, atMs = 0): boolean {
  let opened = false;
  for (let n = 0; n < times; n++) opened = subject.failed(delivery(), atMs);
  return opened;
}

/** Lets one delivery through. */
function probe(subject: Breaker, nowMs: number): ClaimedDelivery {
  expect(subject.room(nowMs)).toBe(1);
  const let1 = delivery();
  subject.claimed(1, nowMs, [let1]);
  expect(subject.state).toBe('half-open');
  return let1;
}

describe('a breaker', () => {
  it('opens with the last of so many failures in a row, and not before', () => {
    const subject = breaker();
    expect(fail(subject, 2)).toBe(false);
    expect([subject.state, subject.room(0)]).toEqual(['closed', Number.POSITIVE_INFINITY]);
    expect(fail(subject, 1)).toBe(true);
    expect([subject.state, subject.room(0), subject.opensAtMs]).toEqual(['open', 0, 100]);
  });

  it('counts anew after anything that was taken', () => {
    const subject = breaker();
    for (let round = 0; round < 10; round++) {
      expect(fail(subject, 2)).toBe(false);
      expect(subject.answered(delivery())).toBe(false);
    }
    expect(subject.state).toBe('closed');
  });

  it('counts only what lies within its window, at whatever time that begins', () => {
    const subject = breaker();
    for (const atMs of [0, 600, 1_200, 1_800]) expect(fail(subject, 1, atMs)).toBe(false);
    expect(fail(subject, 1, 2_100)).toBe(true);
  });

  it('opens at once where one failure is enough', () => {
    expect(fail(breaker({ failures: 1 }), 1)).toBe(true);
  });

  it('lets exactly one through when its time is over, and none beside it', () => {
    const subject = breaker();
    fail(subject, 3);
    expect(subject.room(99)).toBe(0);
    probe(subject, 100);
    expect([subject.room(100), subject.room(1e9), subject.opensAtMs]).toEqual([0, 0, Number.POSITIVE_INFINITY]);
    expect(() => subject.claimed(1, 100, [delivery()])).toThrow(TypeError);
  });

  it('closes when that one is taken', () => {
    const subject = breaker();
    fail(subject, 3);
    expect(subject.answered(probe(subject, 100))).toBe(true);
    expect([subject.state, subject.room(100), subject.failuresInARow]).toEqual(['closed', Number.POSITIVE_INFINITY, 0]);
  });

  it('stays open twice as long after each that fails, to five minutes, and begins anew once it was closed', () => {
    const subject = breaker({ openMs: 30_000 });
    fail(subject, 3);
    const waits: number[] = [];
    for (let n = 0, nowMs = 0; n < 7; n++) {
      waits.push(subject.opensAtMs - nowMs);
      nowMs = subject.opensAtMs;
      expect(subject.failed(probe(subject, nowMs), nowMs)).toBe(false);
    }
    expect(waits).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000, 300_000]);
    const atMs = subject.opensAtMs;
    subject.answered(probe(subject, atMs));
    fail(subject, 3, atMs);
    expect(subject.opensAtMs - atMs).toBe(30_000);
  });

  it('keeps a first time longer than five minutes', () => {
    const subject = breaker({ openMs: 600_000 });
    fail(subject, 3);
    subject.failed(probe(subject, 600_000), 600_000);
    expect(subject.opensAtMs).toBe(1_200_000);
  });

  it('is never asked before its time, and at most a tenth later', () => {
    const late = new Breaker(POLICY, { fraction: () => 0.999_999, fill: () => {} });
    fail(late, 3);
    expect(late.opensAtMs).toBe(110);
  });

  it('listens to nobody who was under way when it opened', () => {
    const subject = breaker();
    fail(subject, 3);
    expect(subject.answered(delivery())).toBe(false);
    expect([subject.failed(delivery(), 50), subject.opensAtMs]).toEqual([false, 100]);
    const probed = probe(subject, 100);
    expect(subject.answered(delivery())).toBe(false);
    expect(subject.failed(delivery(), 150)).toBe(false);
    subject.released(delivery(), 150);
    expect(subject.state).toBe('half-open');
    expect(subject.answered(probed)).toBe(true);
  });

  it('lets another one through when that one came back without an answer', () => {
    const subject = breaker();
    fail(subject, 3);
    subject.released(probe(subject, 100), 140);
    expect([subject.state, subject.room(140)]).toEqual(['open', 1]);
    expect(subject.answered(probe(subject, 140))).toBe(true);
  });

  it('is closed by whoever knows better, in every state', () => {
    const subject = breaker();
    fail(subject, 3);
    const probed = probe(subject, 100);
    subject.close();
    expect([subject.state, subject.room(100)]).toEqual(['closed', Number.POSITIVE_INFINITY]);
    // What the probe says is heard like anything else from then on.
    expect([subject.failed(probed, 110), subject.failuresInARow]).toEqual([false, 1]);
  });
});
