import { checkHistory, type HistoryEntry } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { type LivesFacts, notOwed, splitLives } from './lives.ts';
import type { SeenDelivery } from './seen-delivery.ts';

/** Two events, and a subscription that was reset to the place between them; dead letters had taken rounds 0 and 1. */
const FACTS: LivesFacts = {
  resets: () => [{ to: 1, firstRound: 2 }],
  positions: new Map([
    ['before', 1],
    ['behind', 2],
  ]),
};
const PUBLISHED: HistoryEntry[] = [
  { kind: 'subscribe', subscription: 'mail' },
  ...['before', 'behind'].flatMap((id, at): HistoryEntry[] => [
    { kind: 'invoke', client: 'somebody', id, subscriptions: ['mail'] },
    { kind: 'ok', id, position: at + 1 },
  ]),
];

function delivered(id: string, resets: number, round: number, attempt = 1): SeenDelivery {
  return { kind: 'deliver', subscription: 'mail', id, resets, round, attempt, answer: 'ok' };
}

function judged(...deliveries: SeenDelivery[]) {
  const history = [...PUBLISHED, ...deliveries];
  const { lost, duplicates, unexpected, attemptsRepeated } = checkHistory(splitLives(history, FACTS));
  return { lost, duplicates, unexpected, attemptsRepeated, notOwed: notOwed(history, FACTS).length };
}

const SOUND = { lost: 0, duplicates: 0, unexpected: 0, attemptsRepeated: 0, notOwed: 0 };

describe('the lives of a subscription that was reset', () => {
  it('owe what lies behind the place once more, at attempt 1, and nothing before it', () => {
    expect(judged(delivered('before', 0, 0), delivered('behind', 0, 0), delivered('behind', 1, 2))).toEqual(SOUND);
    // What the first life had not done when it ended nobody owes for it.
    expect(judged(delivered('behind', 1, 2))).toEqual(SOUND);
  });

  it('are told when the last one lacks what lies behind the place, whatever the one before had', () => {
    expect(judged(delivered('before', 0, 0), delivered('behind', 0, 0))).toEqual({ ...SOUND, lost: 1 });
  });

  it('are told when one comes twice within a life', () => {
    const twice = judged(delivered('behind', 1, 2), delivered('behind', 1, 2, 2));
    expect(twice).toEqual({ ...SOUND, duplicates: 1 });
  });

  it('are told when what lies before the place comes, unless somebody redrove its letter', () => {
    expect(judged(delivered('behind', 1, 2), delivered('before', 1, 2))).toEqual({ ...SOUND, notOwed: 1 });
    expect(judged(delivered('behind', 1, 2), delivered('before', 1, 3))).toEqual(SOUND);
  });

  it('are told when there is one more than anybody began', () => {
    expect(notOwed([delivered('behind', 2, 2)], FACTS)).toHaveLength(1);
  });
});
