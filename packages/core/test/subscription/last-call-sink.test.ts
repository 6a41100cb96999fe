import type { Outcome } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { lastCallSink } from '../../src/subscription/last-call-sink.ts';

const OPTIONS = { signal: new AbortController().signal, deadlineAtMs: 0 };

describe('closing a sink', () => {
  it('waits for calls that nobody waits for any more, but not the one who closes', async () => {
    let closed = 0;
    const ends: ((outcomes: Outcome[]) => void)[] = [];
    const sink = lastCallSink(
      { deliver: () => new Promise<Outcome[]>((resolve) => ends.push(resolve)), close: async () => void closed++ },
      () => {},
    );
    const answers = [sink.deliver([], OPTIONS), sink.deliver([], OPTIONS)];
    await sink.close();
    ends[0]!([]);
    await answers[0];
    expect(closed).toBe(0);
    ends[1]!([]);
    await answers[1];
    await Promise.resolve();
    expect(closed).toBe(1);
  });

  it('that is idle is done when it resolves, also after calls that answered at once or threw', async () => {
    let closed = false;
    let throws = false;
    const deliver = (): Outcome[] => {
      if (throws) throw new TypeError('a bug');
      return [];
    };
    const sink = lastCallSink({ deliver, close: async () => void (closed = true) }, () => {});
    sink.deliver([], OPTIONS);
    throws = true;
    expect(() => sink.deliver([], OPTIONS)).toThrow('a bug');
    await sink.close();
    expect(closed).toBe(true);
  });

  it('that fails when nobody waits for it is told', async () => {
    const failures: unknown[] = [];
    const failing = async () => {
      throw new TypeError('a bug');
    };
    let end = (_outcomes: Outcome[]) => {};
    const deliver = () => new Promise<Outcome[]>((resolve) => (end = resolve));
    const sink = lastCallSink({ deliver, close: failing }, (error) => failures.push(error));
    const answer = sink.deliver([], OPTIONS);
    await sink.close();
    end([]);
    await answer;
    await Promise.resolve();
    await Promise.resolve();
    expect(failures).toEqual([new TypeError('a bug')]);
  });
});
