import { type Appendable, type EventStore, memory, type Place } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { startPosition } from '../../src/subscription/start-position.ts';

const HOUR_MS = 60 * 60_000;

function anAppendable(n: number, topic = 'a'): Appendable {
  const id = `0198c0de-0000-7000-8000-${String(n).padStart(12, '0')}`;
  return { id, topic, lane: 2, flags: 0, type: 't', source: 's', timestampMs: 0, body: Buffer.from('{}') };
}

/** Ten events, an hour apart; the store looks at `perSearch` of them in one search. */
async function aLog(perSearch: number) {
  const time = new VirtualTime();
  const kept = memory({ runtime: { clock: time } });
  await kept.open();
  const beganMs = time.wallMs();
  for (let n = 1; n <= 10; n++) {
    await kept.store.append([anAppendable(n)]);
    await time.advance(HOUR_MS);
  }
  let searches = 0;
  const store = new Proxy<EventStore>(kept.store, {
    get(target, name) {
      if (name !== 'find') return Reflect.get(target, name).bind(target);
      return async (query: { fromMs: number }, options: { after?: Place }) => {
        searches++;
        const from = options.after?.position ?? 0;
        const found = await target.find(query, { limit: 1, direction: 'forward', budgetMs: 1_000, ...options });
        const position = found.records[0]?.place.position ?? 11;
        if (position <= from + perSearch || from + perSearch >= 10) return found;
        return { records: [], next: { partition: 0, position: from + perSearch }, complete: false };
      };
    },
  });
  const at = (timeMs: number) => startPosition({ timeMs }, { store, partition: 0, routedHead: 10 });
  return { beganMs, at, searches: () => searches };
}

it('finds where a time begins also when one search does not come so far', async () => {
  for (const perSearch of [100, 4, 1]) {
    const { beganMs, at } = await aLog(perSearch);
    expect(await at(beganMs + 7.5 * HOUR_MS), `${perSearch} a search`).toBe(8);
    expect(await at(beganMs - 1)).toBe(0);
  }
});

/** Whoever subscribes to what the bus tells of itself missed what it had told since then, up to the next event of somebody else. */
it('finds also what the bus told of itself since then', async () => {
  const time = new VirtualTime();
  const kept = memory({ runtime: { clock: time } });
  await kept.open();
  const { store } = kept;
  const sinceMs: number[] = [];
  for (const [n, topic] of ['a', '$sys/x', 'a', '$sys/y'].entries()) {
    await time.advance(HOUR_MS);
    sinceMs.push(time.wallMs());
    await store.append([anAppendable(n, topic)]);
  }
  const at = (timeMs: number) => startPosition({ timeMs }, { store, partition: 0, routedHead: 4 });
  expect(await Promise.all(sinceMs.map(at))).toEqual([0, 1, 2, 3]);
  await kept.close();
});

it('begins with what comes where the time lies ahead', async () => {
  const { beganMs, at, searches } = await aLog(3);
  expect(await at(beganMs + 1_000 * HOUR_MS)).toBe(10);
  expect(searches()).toBeLessThan(10);
});
