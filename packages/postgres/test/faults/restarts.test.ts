import { postgres } from '@event-manager/postgres';
import { createTestDatabase } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { amount, printFigures } from '../support/figures.ts';
import { Load } from '../support/load.ts';
import { until } from '../support/until.ts';
import { withPrivateServer } from '../support/with-server.ts';

const RESTARTS = amount(4, 20);
const UP_MS = amount(500, 5_000);
/** Longer than a call may take, so that calls are refused and not only late. */
const DOWN_MS = 800;
const QUERY_TIMEOUT_MS = 500;
const RESUMED_MS_MAX = 3_000;

/** If it were otherwise, a crash of the database would lose what was acknowledged, or somebody would have to restart us after it. */
await withPrivateServer((server) => {
  it(`loses nothing in ${RESTARTS} crashes of the server, says 503 meanwhile, and resumes by itself`, {
    timeout: 60_000 + RESTARTS * 15_000,
  }, async () => {
    await using database = await createTestDatabase({ server });
    const adapter = postgres({ url: database.url, queryTimeoutMs: QUERY_TIMEOUT_MS });
    await adapter.open();
    const load = new Load(adapter);
    const resumedMs: number[] = [];
    for (let restart = 0; restart < RESTARTS; restart++) {
      const before = load.acknowledged.size;
      await until('events are acknowledged', () => load.acknowledged.size > before);
      await pause(UP_MS);
      await server.stop('immediately');
      await pause(DOWN_MS);
      expect(adapter.health().facts['lastError']).toBe('store_unavailable');
      await server.start();
      const readyMs = performance.now();
      await until('events are acknowledged again', () => load.lastAcknowledgedMs > readyMs);
      resumedMs.push(Math.round(load.lastAcknowledgedMs - readyMs));
    }
    await load.stop();
    await adapter.close();
    // With the time that reading the whole log takes.
    const reader = postgres({ url: database.url });
    await reader.open();
    const checked = await load.check(reader);
    await reader.close();
    const resumedMsMax = Math.max(...resumedMs);
    printFigures('crashes of the server', { restarts: RESTARTS, ...checked, refused: load.refused, resumedMsMax });
    expect(checked).toMatchObject({ lost: 0, doubles: 0 });
    expect(load.unexpected).toEqual([]);
    expect(load.refused['store_unavailable']).toBeGreaterThan(0);
    expect(resumedMsMax).toBeLessThanOrEqual(RESUMED_MS_MAX);
  });
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
