import { describe, expect, it } from 'vitest';
import { Window } from '../../src/dispatch/window.ts';

const MEBIBYTE = 1024 * 1024;

describe('the window', () => {
  it('counts what is under way, and what is settled until that is durable', () => {
    const window = new Window(3, true);
    window.claim();
    window.claim();
    window.settle();
    expect([window.left, window.claimed, window.isCommitted]).toEqual([1, 1, false]);
    const snapshot = window.snapshot();
    window.settle();
    window.committed(snapshot);
    expect([window.left, window.claimed, window.isCommitted]).toEqual([2, 0, false]);
    window.committed(window.snapshot());
    expect([window.left, window.isCommitted]).toEqual([3, true]);
  });

  it('is full when dead letters for one commit are too large, also those of a commit that failed', () => {
    const window = new Window(1_000, true);
    const letter = { kind: 'dead-letter', key: 'a' } as const;
    window.add([letter], MEBIBYTE);
    expect(window.left).toBe(0);
    const snapshot = window.snapshot();
    expect(window.left).toBe(1_000);
    // A full disk refuses it, again and again: without this each try gathered a mebibyte more, up to a window of letters.
    window.notCommitted(snapshot);
    expect(window.left).toBe(0);
    expect(window.snapshot().changes).toEqual([letter]);
  });
});
