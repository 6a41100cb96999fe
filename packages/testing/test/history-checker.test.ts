import { describe, expect, it } from 'vitest';
import { checkHistory, isFaultless } from '../src/history-checker.ts';
import type { HistoryEntry } from '../src/history-entry.ts';

/** Ten events of one client, each acknowledged before the next is invoked, each delivered once to `a` and `b`. */
function goodHistory(): HistoryEntry[] {
  const history: HistoryEntry[] = [
    { kind: 'subscribe', subscription: 'a' },
    { kind: 'subscribe', subscription: 'b' },
  ];
  for (let n = 0; n < 10; n++) {
    history.push({ kind: 'invoke', client: 'c', id: `e${n}`, digest: `d${n}` }, { kind: 'ok', id: `e${n}` });
    for (const subscription of ['a', 'b']) {
      history.push({ kind: 'deliver', subscription, id: `e${n}`, attempt: 1, digest: `d${n}` });
    }
  }
  return history;
}

const isDeliveryTo = (subscription: string, id: string) => (entry: HistoryEntry) =>
  entry.kind === 'deliver' && entry.subscription === subscription && entry.id === id;

describe('checkHistory', () => {
  it('finds nothing where nothing is wrong, and prints one line', () => {
    const report = checkHistory(goodHistory());
    expect(report).toMatchObject({ attempts: 10, acked: 10, delivered: 20, lost: 0, unexpected: 0, duplicates: 0 });
    expect(isFaultless(report)).toBe(true);
    expect(JSON.stringify(report)).not.toContain('\n');
  });

  it.each([
    [0, { prefix: 1, middle: 0, postfix: 0 }],
    [5, { prefix: 0, middle: 1, postfix: 0 }],
    [9, { prefix: 0, middle: 0, postfix: 1 }],
  ])('finds a planted loss of event %i, for the subscription it is lost to, and says where', (n, lostWhere) => {
    const history = goodHistory().filter((entry) => !isDeliveryTo('b', `e${n}`)(entry));
    const report = checkHistory(history);
    expect(report.lost).toBe(1);
    expect(report.examples.lost).toEqual([`b e${n}`]);
    expect(report.subscriptions.map(({ lost }) => lost)).toEqual([0, 1]);
    expect(report.subscriptions[1]!.lostWhere).toEqual(lostWhere);
    expect(isFaultless(report)).toBe(false);
  });

  it('counts what is owed, dead-lettered, expired … as not lost, each by its name', () => {
    const history = goodHistory().filter((entry) => !isDeliveryTo('a', 'e3')(entry) && !isDeliveryTo('a', 'e4')(entry));
    history.push({ kind: 'end', subscription: 'a', id: 'e3', state: 'owed' });
    history.push({ kind: 'end', subscription: 'a', id: 'e4', state: 'deadLettered' });
    expect(checkHistory(history)).toMatchObject({ lost: 0, owed: 1, deadLettered: 1, expired: 0, delivered: 18 });
  });

  it('calls a delivery that the receiver refused neither delivered nor the first of a duplicate', () => {
    const history = goodHistory();
    const index = history.findIndex(isDeliveryTo('a', 'e5'));
    history.splice(index, 1, { kind: 'deliver', subscription: 'a', id: 'e5', attempt: 1, failed: true });
    expect(checkHistory(history).lost).toBe(1);
    history.push({ kind: 'deliver', subscription: 'a', id: 'e5', attempt: 2 });
    expect(checkHistory(history)).toMatchObject({ lost: 0, duplicates: 0, inversions: 0, attemptsRepeated: 0 });
  });

  describe('of an acknowledgement whose answer comes later, or never', () => {
    type Answer = 'ack' | 'stale' | undefined;
    const pulled = (attempt: number, answer: Answer): HistoryEntry[] => {
      const of = { subscription: 'a', id: 'x', attempt };
      const said: HistoryEntry[] = [
        { kind: 'deliver', ...of, failed: true },
        { kind: 'maybe-ack', ...of },
      ];
      return answer === undefined ? said : [...said, { kind: answer, ...of }];
    };
    const reportOf = (...told: HistoryEntry[][]) =>
      checkHistory([
        { kind: 'subscribe', subscription: 'a' },
        { kind: 'invoke', client: 'c', id: 'x' },
        { kind: 'ok', id: 'x' },
        ...told.flat(),
      ]);

    it('finds what was told that it comes too late, and does not come again', () => {
      expect(reportOf(pulled(1, 'stale'))).toMatchObject({ lost: 1, delivered: 0 });
      expect(reportOf(pulled(1, 'stale'), pulled(2, 'ack'))).toMatchObject({ lost: 0, delivered: 1, duplicates: 0 });
    });

    it('finds what was told that it is taken, and comes again, also before the answer', () => {
      expect(reportOf(pulled(1, 'ack'))).toMatchObject({ lost: 0, delivered: 1, duplicates: 0 });
      expect(reportOf(pulled(1, 'ack'), pulled(2, 'ack'))).toMatchObject({ lost: 0, duplicates: 1 });
      const [deliver, said, taken] = pulled(1, 'ack');
      expect(reportOf([deliver!, said!], pulled(2, 'stale'), [taken!])).toMatchObject({ lost: 0, duplicates: 1 });
    });

    it('lets what nobody was told of come again or not', () => {
      expect(reportOf(pulled(1, undefined))).toMatchObject({ lost: 0, delivered: 0, duplicates: 0 });
      expect(reportOf(pulled(1, undefined), pulled(2, 'ack'))).toMatchObject({ lost: 0, delivered: 1, duplicates: 0 });
      // It came again, so it was owed, and was refused then.
      expect(reportOf(pulled(1, undefined), pulled(2, 'stale'))).toMatchObject({ lost: 1, delivered: 0 });
    });

    it('refuses an answer to what nobody said', () => {
      expect(() => reportOf(pulled(1, 'ack').slice(2))).toThrow(TypeError);
    });
  });

  it('finds a planted duplicate, and one whose attempt did not grow', () => {
    const history = goodHistory();
    history.push({ kind: 'deliver', subscription: 'a', id: 'e2', attempt: 2 });
    expect(checkHistory(history)).toMatchObject({ duplicates: 1, attemptsRepeated: 0, lost: 0, inversions: 0 });
    history.push({ kind: 'deliver', subscription: 'a', id: 'e2', attempt: 2 });
    const report = checkHistory(history);
    expect(report).toMatchObject({ duplicates: 2, attemptsRepeated: 1 });
    expect(isFaultless(report)).toBe(false);
  });

  it('finds what was invented: never published, surely refused, meant for others, or with other content', () => {
    const history = goodHistory();
    history.push({ kind: 'deliver', subscription: 'a', id: 'never' });
    history.push({ kind: 'invoke', client: 'c', id: 'refused' }, { kind: 'fail', id: 'refused' });
    history.push({ kind: 'deliver', subscription: 'a', id: 'refused' });
    history.push({ kind: 'invoke', client: 'c', id: 'for b', subscriptions: ['b'] }, { kind: 'ok', id: 'for b' });
    history.push(
      { kind: 'deliver', subscription: 'a', id: 'for b' },
      { kind: 'deliver', subscription: 'b', id: 'for b' },
    );
    history.push({ kind: 'deliver', subscription: 'a', id: 'e0', attempt: 2, digest: 'altered' });
    const report = checkHistory(history);
    expect(report.examples.unexpected).toEqual(['a never', 'a refused', 'a for b', 'a e0']);
    expect(report).toMatchObject({ unexpected: 4, lost: 0 });
    expect(isFaultless(report)).toBe(false);
  });

  it('allows what ended unknown to be delivered or not, and counts it as recovered', () => {
    const history = goodHistory();
    history.push({ kind: 'invoke', client: 'c', id: 'x' }, { kind: 'unknown', id: 'x' });
    history.push({ kind: 'invoke', client: 'c', id: 'y' });
    history.push({ kind: 'deliver', subscription: 'a', id: 'x' });
    expect(checkHistory(history)).toMatchObject({ attempts: 12, acked: 10, recovered: 1, lost: 0, unexpected: 0 });
  });

  it('joins the tries of one event: unknown and then acknowledged is acknowledged', () => {
    const history = goodHistory();
    const tries: HistoryEntry[] = [
      { kind: 'invoke', client: 'c', id: 'x', subscriptions: ['a'] },
      { kind: 'unknown', id: 'x' },
      { kind: 'invoke', client: 'c', id: 'x', subscriptions: ['a'] },
      { kind: 'ok', id: 'x' },
    ];
    expect(checkHistory([...history, ...tries])).toMatchObject({ attempts: 11, acked: 11, lost: 1 });
  });

  it('finds a planted inversion by what the client saw', () => {
    const history = goodHistory();
    const [first, second] = [history.findIndex(isDeliveryTo('a', 'e4')), history.findIndex(isDeliveryTo('a', 'e5'))];
    [history[first], history[second]] = [history[second]!, history[first]!];
    const report = checkHistory(history);
    expect(report.examples.inversions).toEqual(['a e4']);
    expect(report).toMatchObject({ inversions: 1, lost: 0, unexpected: 0, duplicates: 0 });
    expect(isFaultless(report)).toBe(false);
  });

  it('does not claim an order among lanes, among clients, or among publishes that overlapped', () => {
    const publish = (client: string, id: string, lane = 2): HistoryEntry => ({ kind: 'invoke', client, id, lane });
    const history: HistoryEntry[] = [
      { kind: 'subscribe', subscription: 'a' },
      publish('c', 'low', 3),
      { kind: 'ok', id: 'low' },
      publish('c', 'high', 0),
      { kind: 'ok', id: 'high' },
      publish('c', 'x'),
      publish('c', 'y'),
      { kind: 'ok', id: 'x' },
      { kind: 'ok', id: 'y' },
      publish('d', 'other'),
      { kind: 'ok', id: 'other' },
      ...['high', 'low', 'other', 'y', 'x'].map((id): HistoryEntry => ({ kind: 'deliver', subscription: 'a', id })),
    ];
    expect(checkHistory(history).inversions).toBe(0);
  });

  it('judges order by positions where they are known, also among clients', () => {
    const history: HistoryEntry[] = [{ kind: 'subscribe', subscription: 'a' }];
    for (const [client, id, position] of [
      ['c', 'x', 7],
      ['d', 'y', 8],
    ] as const) {
      history.push({ kind: 'invoke', client, id }, { kind: 'ok', id, position });
    }
    const deliveries = ['y', 'x'].map((id): HistoryEntry => ({ kind: 'deliver', subscription: 'a', id }));
    expect(checkHistory([...history, ...deliveries]).inversions).toBe(1);
    expect(checkHistory([...history, ...deliveries.toReversed()]).inversions).toBe(0);
  });

  it('lets first attempts at several places be seen side by side for as long as one travels, and no longer', () => {
    const inversionsOf = (besideMs: number | undefined, behindMs: number, attempt: number): number => {
      const history: HistoryEntry[] = [{ kind: 'subscribe', subscription: 'a', ...(besideMs ? { besideMs } : {}) }];
      for (const position of [7, 8]) {
        history.push({ kind: 'invoke', client: 'c', id: `${position}` }, { kind: 'ok', id: `${position}`, position });
      }
      history.push({ kind: 'deliver', subscription: 'a', id: '8', attempt: 1, atMs: 100 });
      history.push({ kind: 'deliver', subscription: 'a', id: '7', attempt, atMs: 100 + behindMs });
      return checkHistory(history).inversions;
    };
    expect(inversionsOf(undefined, 0, 1)).toBe(1);
    expect(inversionsOf(50, 50, 1)).toBe(0);
    expect(inversionsOf(50, 51, 1)).toBe(1);
    // It was lost on its way, and was handed out again.
    expect(inversionsOf(50, 51, 2)).toBe(0);
  });

  it('refuses histories that cannot be: ends without a beginning, deliveries to nobody', () => {
    expect(() => checkHistory([{ kind: 'ok', id: 'x' }])).toThrow(TypeError);
    expect(() => checkHistory([{ kind: 'deliver', subscription: 'a', id: 'x' }])).toThrow(TypeError);
  });
});

describe('what may end without a delivery', () => {
  const subscribe: HistoryEntry = { kind: 'subscribe', subscription: 's' };
  const published: HistoryEntry[] = [subscribe, { kind: 'invoke', client: 'c', id: 'e' }, { kind: 'ok', id: 'e' }];

  it('is an event that was optional for the subscription', () => {
    const optional = ['s'];
    const history: HistoryEntry[] = [
      subscribe,
      { kind: 'invoke', client: 'c', id: 'e', optional },
      { kind: 'ok', id: 'e' },
    ];
    expect(checkHistory(history).lost).toBe(0);
    expect(checkHistory(published).lost).toBe(1);
  });

  it('is an event that was cancelled; cancelled surely, it must not come', () => {
    const cancel = (isSure: boolean): HistoryEntry => ({ kind: 'cancel', id: 'e', isSure });
    const deliver: HistoryEntry = { kind: 'deliver', subscription: 's', id: 'e' };
    expect(checkHistory([...published, cancel(false)])).toMatchObject({ lost: 0, unexpected: 0 });
    expect(checkHistory([...published, cancel(false), deliver])).toMatchObject({ lost: 0, unexpected: 0 });
    expect(checkHistory([...published, cancel(true), deliver])).toMatchObject({ unexpected: 1 });
  });

  it('is not one that was handed out and not acknowledged', () => {
    const deliver: HistoryEntry = { kind: 'deliver', subscription: 's', id: 'e', failed: true };
    const ack: HistoryEntry = { kind: 'ack', subscription: 's', id: 'e' };
    expect(checkHistory([...published, deliver]).lost).toBe(1);
    expect(checkHistory([...published, deliver, ack])).toMatchObject({ lost: 0, delivered: 1, duplicates: 0 });
    expect(checkHistory([...published, deliver, ack, deliver]).duplicates).toBe(1);
  });
});
