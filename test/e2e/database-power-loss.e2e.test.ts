import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgres } from '@event-manager/postgres';
import { SeededChance } from '@event-manager/testing';
import { createTestDatabase, missingServer, type PrivateServer, startPostgres } from '@event-manager/testing/servers';
import { expect, it, type TestContext } from 'vitest';
import { amount, printFigures } from '../../packages/postgres/test/support/figures.ts';
import { Load } from '../../packages/postgres/test/support/load.ts';
import { until } from '../../packages/postgres/test/support/until.ts';
import { LoopVolume, whyNoLoopVolume } from './support/loop-volume.ts';

const CUTS = amount(3, 20);
const ACKNOWLEDGED_MIN = 300;
const ACKNOWLEDGED_MORE = 600;

/** If it were otherwise, "acknowledged" would mean that the server had it in memory. */
it(`loses nothing in ${CUTS} losses of power under the server`, {
  timeout: 60_000 + CUTS * 30_000,
}, async (context) => {
  await skipUnlessPossible(context);
  const { lost, doubles, ...figures } = await losePower(CUTS, 'synced', {});
  printFigures('power lost under the server', { cuts: CUTS, lost, doubles, ...figures });
  expect([lost, doubles]).toEqual([0, 0]);
});

it('would notice: a server that answers before its disk has it loses events, and the adapter says which', {
  timeout: 120_000,
}, async (context) => {
  await skipUnlessPossible(context);
  const settings = { synchronous_commit: 'off', wal_writer_delay: '10s' };
  const { lost, lostEvents, lostPositions } = await losePower(1, 'relaxed', settings);
  printFigures('power lost under a server that does not sync', { lost, lostEvents, lostPositions });
  expect(lostEvents).toBeGreaterThan(0);
  expect(lostPositions).toBeGreaterThanOrEqual(lostEvents);
});

async function skipUnlessPossible(context: TestContext): Promise<void> {
  const reason = (await missingServer('postgres')) ?? whyNoLoopVolume();
  if (reason === undefined) return;
  if (process.env['CI']) expect.fail(`The power-loss test must run in CI: ${reason}.`);
  context.skip(reason);
}

/** Publishes, loses power in the middle of it, and again; at the end it looks what is there of what was acknowledged. */
async function losePower(cuts: number, durability: 'synced' | 'relaxed', settings: Readonly<Record<string, string>>) {
  const chance = new SeededChance(11);
  const folder = mkdtempSync(join(tmpdir(), 'event-manager-power-'));
  // The server runs under an account of its own.
  chmodSync(folder, 0o755);
  const volume = new LoopVolume(folder);
  try {
    await using server = await startPostgres({ parent: volume.mountPoint, settings });
    const database = await createTestDatabase({ server });
    const adapter = postgres({ url: database.url, durability, queryTimeoutMs: 2_000 });
    await adapter.open();
    // The cluster itself was made without syncing it.
    execFileSync('sync', ['-f', volume.mountPoint]);
    const load = new Load(adapter);
    for (let cut = 0; cut < cuts; cut++) {
      const enough = load.acknowledged.size + ACKNOWLEDGED_MIN + chance.integer(ACKNOWLEDGED_MORE);
      await until('events are acknowledged', () => load.acknowledged.size >= enough);
      await cutPower(server, volume);
      const backMs = performance.now();
      await until('events are acknowledged again', () => load.lastAcknowledgedMs > backMs);
    }
    await load.stop();
    const checked = await load.check(adapter);
    const ranges = adapter.health().lost ?? [];
    const lostPositions = ranges.reduce((sum, { from, through }) => sum + through - from + 1, 0);
    await adapter.close();
    expect(load.unexpected).toEqual([]);
    return { ...checked, refused: load.refused, lostPositions };
  } finally {
    volume.unmount();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A real cut takes the programs with the disk, so they are stopped first: see `test/e2e/power-loss.e2e.test.ts`. */
async function cutPower(server: PrivateServer, volume: LoopVolume): Promise<void> {
  const signalAll = (signal: NodeJS.Signals) => {
    for (const pid of pidsOf(server)) {
      try {
        process.kill(pid, signal);
      } catch {
        // It was for a connection that has ended.
      }
    }
  };
  signalAll('SIGSTOP');
  volume.losePower();
  signalAll('SIGKILL');
  await until('the server is gone', () => server.pid === undefined);
  await until('nothing of it is left on the disk', () => {
    try {
      volume.unmount();
      return true;
    } catch {
      return false;
    }
  });
  volume.mount();
  await server.start();
}

/** The server and every process that it made for a connection. */
function pidsOf({ pid }: PrivateServer): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid!, ...(children === '' ? [] : children.split(' ').map(Number))];
}
