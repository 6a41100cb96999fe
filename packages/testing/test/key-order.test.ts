import { describe, expect, it } from 'vitest';
import { checkHistory } from '../src/history-checker.ts';
import type { HistoryEntry, OrderPromise } from '../src/history-entry.ts';

/** Events 1 to 4, of which the odd ones have the key `a` and the even ones `b`. */
function published(onFailure: OrderPromise['onFailure']): HistoryEntry[] {
  const history: HistoryEntry[] = [{ kind: 'subscribe', subscription: 's', order: { by: 'key', onFailure } }];
  for (let position = 1; position <= 4; position++) {
    const keys = { topic: 't', key: position % 2 === 1 ? 'a' : 'b' };
    history.push({ kind: 'invoke', client: 'c', id: `${position}`, keys }, { kind: 'ok', id: `${position}`, position });
  }
  return history;
}

/** `3!` is a delivery of event 3 that is refused, `3?` one that was taken or not, which nobody told, `|` an interruption, `-a` a release of the key `a`, `-a?` one that
 * was asked for and `-a.` its answer. */
function reportOf(onFailure: OrderPromise['onFailure'], what: string) {
  const history = published(onFailure);
  for (const [at, word] of what.split(' ').entries()) {
    const id = word.replace(/[!?]/, '');
    if (word === '|') history.push({ kind: 'interrupt', subscription: 's' });
    else if (word.startsWith('-')) history.push(releaseOf(word));
    else {
      const of = { subscription: 's', id, attempt: at + 1 };
      history.push({ kind: 'deliver', ...of, failed: word !== id });
      if (word.endsWith('?')) history.push({ kind: 'maybe-ack', ...of });
    }
  }
  const { inversions, parkedWentOn } = checkHistory(history);
  return { inversions, parkedWentOn };
}

function releaseOf(word: string): HistoryEntry {
  const release = { kind: 'release', subscription: 's', key: word[1]! } as const;
  if (word.length === 2) return release;
  return { ...release, step: word.endsWith('?') ? 'asked' : 'answered' };
}

describe('the order of keys', () => {
  it.each([
    ['is kept where keys overtake each other', 'block', '2 4 1 3', 0, 0],
    ['is broken by a first delivery behind a later event of the key', 'block', '3 1 2 4', 1, 0],
    ['is broken so even when something was interrupted', 'block', '3 | 1', 1, 0],
    ['is kept by a retry in its place', 'block', '1! 1! 1 3', 0, 0],
    ['is broken by a retry behind a later event', 'block', '1! 3 1', 1, 0],
    ['is kept by repetitions after an interruption', 'block', '1 3 | 1 3', 0, 0],
    ['is kept when an interruption brings back what was given up', 'block', '1! 3 | 1 3', 0, 0],
    ['is broken by a parked key that goes on', 'park', '1! 1! 3', 0, 1],
    ['is kept by a parked key that was released', 'park', '1! 1! -a 3', 0, 0],
    ['is kept by a parked key whose release was asked for before it was parked', 'park', '-a? 1! 3 -a.', 0, 0],
    ['is broken by a key that is parked after its release was answered', 'park', '-a? -a. 1! 3', 0, 1],
    ['is kept by a key that goes on with what was perhaps taken', 'park', '1? 3', 0, 0],
    ['is kept by what was perhaps taken and comes again first', 'park', '1? 1 3', 0, 0],
    ['is broken by what was perhaps taken and comes again behind a later event', 'park', '1? 3 1', 1, 0],
    ['is broken by a key that goes on because another one was released', 'park', '1! -b 3', 0, 1],
  ] as const)('%s', (_what, onFailure, deliveries, inversions, parkedWentOn) => {
    expect(reportOf(onFailure, deliveries)).toEqual({ inversions, parkedWentOn });
  });

  it('is that of the calls: what came in one was taken or refused together', () => {
    const history = published('block');
    const deliver = (id: string, call: number, failed: boolean): void => {
      history.push({ kind: 'deliver', subscription: 's', id, call, failed });
    };
    deliver('1', 1, true);
    deliver('3', 1, true);
    deliver('1', 2, false);
    deliver('3', 3, false);
    expect(checkHistory(history).inversions).toBe(0);
  });
});
