import { ANONYMOUS } from '@event-manager/core';
import { mostInWindow } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { CALM, SeveralEngines } from '../../several-engines.ts';

const MINUTE_MS = 60_000;
const LIMIT = 6;
/** Longest way of a delivery to a member elsewhere, here half of the time that a call has. */
const TIMEOUT_MS = 2_000;
const WAY_MS = TIMEOUT_MS / 2;

interface DeliverLetter {
  readonly kind: string;
  readonly positions?: readonly number[];
}

describe('a limited rate with members at several processes', () => {
  it('is never exceeded where attempts begin, nor elsewhere in a minute without the way there', async () => {
    const trouble = { ...CALM, usualMs: 50, letterLossShare: 0.2, letterTwiceShare: 0.2, letterStallShare: 0.1 };
    const engines = await SeveralEngines.of(3, {}, 8, trouble);
    const seenMs = new Map<unknown, number[]>();
    const options = { rateLimitPerMinute: LIMIT, maxConcurrency: 2, timeoutMs: TIMEOUT_MS };
    const ids: string[] = [];
    for (const bus of engines.all) {
      seenMs.set(bus, []);
      const handler = () => void seenMs.get(bus)!.push(engines.time.monotonicMs());
      const request = { topic: '#', name: 's', options, handler };
      const { id } = await engines.time.run(bus.engine.subscriptions.subscribe(ANONYMOUS, request));
      ids.push(id);
    }
    await engines.time.advance(5_000);
    const begunMs: number[] = [];
    const carry = engines.shared.carry.bind(engines.shared);
    engines.shared.carry = (from, text, to) => {
      const { letters } = JSON.parse(text) as { letters: readonly DeliverLetter[] };
      for (const { kind, positions } of letters) {
        if (kind === 'deliver') for (const _ of positions!) begunMs.push(engines.time.monotonicMs());
      }
      carry(from, text, to);
    };
    await engines.all[0]!.publishMany(40);
    // What was handed out and given back counts, too.
    await engines.time.advance(12 * MINUTE_MS);

    const owner = engines.ownerOf(ids[0]!)!;
    const elsewhere = [...seenMs].flatMap(([bus, times]) => (bus === owner ? [] : times));
    const everywhere = [...seenMs.values()].flat();
    // More than one minute holds, or nothing could be exceeded.
    expect(begunMs.length).toBeGreaterThan(LIMIT);
    expect(elsewhere.length).toBeGreaterThan(LIMIT);
    expect(everywhere.length).toBeGreaterThanOrEqual(40);
    expect(mostInWindow([...begunMs, ...seenMs.get(owner)!], MINUTE_MS)).toBe(LIMIT);
    expect(mostInWindow(everywhere, MINUTE_MS - WAY_MS)).toBeLessThanOrEqual(LIMIT);
    await engines.close();
  });
});
