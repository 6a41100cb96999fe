import { postgres } from '@event-manager/postgres';
import { FaultProxy, SeededChance } from '@event-manager/testing';
import { allStored, sampleEvents } from '@event-manager/testing/conformance';
import { expect, it } from 'vitest';
import { Databases } from '../support/databases.ts';
import { amount, printFigures } from '../support/figures.ts';
import { readAll } from '../support/read-all.ts';
import { withServer } from '../support/with-server.ts';

const CUTS = amount(200, 2_000);
const ENDS = amount(30, 2_000);
/** How the server says that a statement is done. A transaction of ours is one statement, and committed by then. */
const DONE = 'SELECT 1';
const TURNS_MAX = 13;

/** If an answer that is lost were taken for a failure, events would be there twice; if for a success, some would not be there. */
await withServer((server) => {
  const databases = new Databases(server);

  it(`loses nothing and doubles nothing when ${CUTS} answers to COMMIT are cut off`, {
    timeout: 60_000 + 200 * CUTS,
  }, async () => {
    let cuts = 0;
    const figures = await publishAndCommit(databases, CUTS, async (proxy) => {
      let isCut = false;
      proxy.cutWhen((direction, bytes) => {
        if (isCut || direction === 'up' || !bytes.includes(DONE)) return false;
        isCut = true;
        cuts++;
        return true;
      });
    });
    expect(cuts).toBe(CUTS);
    printFigures('answers to COMMIT cut off', { cuts, ...figures });
  });

  it(`nor when ${ENDS} connections end anywhere on the way there and back`, {
    timeout: 60_000 + 200 * ENDS,
  }, async () => {
    const chance = new SeededChance(7);
    const figures = await publishAndCommit(databases, ENDS, async (proxy) => {
      for (let left = chance.integer(TURNS_MAX); left > 0; left--) await new Promise(setImmediate);
      proxy.reset();
    });
    printFigures('connections cut anywhere', { cuts: ENDS, ...figures });
  });
});

/**
 * Appends and commits in turn, and strikes once while each is under way. Somebody else appends meanwhile: positions cannot simply
 * be counted on.
 */
async function publishAndCommit(databases: Databases, times: number, strike: (proxy: FaultProxy) => Promise<void>) {
  await using database = await databases.create();
  await using proxy = await FaultProxy.start(database.url);
  const struck = postgres({ url: proxy.url, maxConnections: 4 });
  const other = postgres({ url: database.url, maxConnections: 4 });
  await struck.open();
  await other.open();
  const acknowledged: number[] = [];
  let revision = 0;
  for (let n = 0; n < times; n++) {
    const striking = strike(proxy);
    if (n % 2 === 0) {
      const appends = [struck.store.append(sampleEvents(3, 4 * n)), other.store.append(sampleEvents(1, 4 * n + 3))];
      const results = (await Promise.all(appends)).flat();
      acknowledged.push(...allStored(results).map(({ place }) => place.position));
    } else {
      // Each expects the revision of the one before: one that took effect twice would make the next a conflict.
      const next = await struck.state.commit([{ kind: 'topic', key: 'a', value: n, ifRevision: revision }]);
      expect(next).toBe(revision + 1);
      revision = next;
    }
    await striking;
  }
  proxy.heal();
  const records = await readAll(other.store);
  const doubles = records.length - new Set(records.map(({ id }) => id)).size;
  const kept = new Set(records.map(({ place }) => place.position));
  const lost = acknowledged.filter((position) => !kept.has(position)).length;
  expect(records.map(({ place }) => place.position)).toEqual(acknowledged.toSorted((a, b) => a - b));
  expect([lost, doubles]).toEqual([0, 0]);
  expect(await other.state.get('topic', ['a'])).toMatchObject([{ revision }]);
  await struck.close();
  await other.close();
  return { events: records.length, commits: revision, lost, doubles };
}
