import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { LevelDBEventStore } from '@event-manager/level';
import { sampleEvent, sampleId } from '@event-manager/testing/conformance';
import { ClassicLevel } from 'classic-level';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from './support/temporary-folder.ts';

const APPENDER = join(import.meta.dirname, 'support/append-for-ever.ts');
const PUBLISHER = join(import.meta.dirname, 'support/publish-for-ever.ts');
/** Rounds of killing; the full run is for whoever changed how the store writes. */
const KILLS = Number(process.env['LEVEL_KILLS'] ?? 3);

interface Appender {
  readonly child: ChildProcess;
  /** What it printed so far. */
  readonly lines: string[];
  /** Resolves when it has printed so many lines, or has ended. */
  printed(count: number): Promise<void>;
}

/** Starts the program in a shell that limits how large a file may become, if that is said: in blocks of 1,024 bytes. */
function appendIn(
  folder: string,
  {
    from = 0,
    fileBlocksMax,
    program: path = APPENDER,
  }: { from?: number; fileBlocksMax?: number; program?: string } = {},
): Appender {
  const command = [process.execPath, '--conditions=source', path, folder, String(from)];
  const limited = ['bash', '-c', `ulimit -f ${fileBlocksMax}; exec "$0" "$@"`, ...command];
  const [program, ...given] = fileBlocksMax === undefined ? command : limited;
  const child = spawn(program!, given, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  let wake = () => {};
  const reader = createInterface({ input: child.stdout! });
  reader.on('line', (line) => {
    lines.push(line);
    wake();
  });
  const ended = once(reader, 'close');
  const printed = async (count: number) => {
    const enough = new Promise<void>((resolve) => {
      wake = () => {
        if (lines.length >= count) resolve();
      };
      wake();
    });
    await Promise.race([enough, ended]);
  };
  return { child, lines, printed };
}

async function idsIn(folder: string): Promise<string[]> {
  const store = new LevelDBEventStore(folder);
  const ids: string[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page = await store.read({ after, limit: 1_000 });
    for (const [at, { id, position }] of page.records.entries()) {
      expect(position).toBe(after + at + 1);
      ids.push(id);
    }
    after = page.next;
  }
  await store.close();
  return ids;
}

it('loses nothing that it acknowledged when its process is killed, and knows all of it again', async () => {
  const folder = temporaryFolder();
  const acknowledged = new Set<string>();
  for (let round = 0; round < KILLS; round++) {
    const from = round * 1_000_000;
    const { child, lines, printed } = appendIn(folder, { from });
    await printed(100 + round * 53);
    child.kill('SIGKILL');
    await once(child, 'close');
    for (const line of lines) acknowledged.add(sampleId(Number(line)));
    const ids = await idsIn(folder);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...acknowledged].filter((id) => !ids.includes(id))).toEqual([]);
  }
  expect(acknowledged.size).toBeGreaterThanOrEqual(KILLS * 100);
});

it('has every event that a bus acknowledged, when the process of the bus is killed', async () => {
  const folder = temporaryFolder();
  const { child, lines, printed } = appendIn(folder, { program: PUBLISHER });
  await printed(300);
  child.kill('SIGKILL');
  await once(child, 'close');
  const ids = new Set(await idsIn(folder));
  expect(lines.length).toBeGreaterThanOrEqual(300);
  expect(lines.filter((id) => !ids.has(id))).toEqual([]);
});

it('acknowledges nothing after a write that failed, and has what it acknowledged before', async () => {
  const folder = temporaryFolder();
  const { child, lines } = appendIn(folder, { fileBlocksMax: 256 });
  await once(child, 'close');
  const failures = lines.filter((line) => line.startsWith('failed'));
  expect(failures.length).toBeGreaterThan(0);
  expect(new Set(failures)).toEqual(new Set(['failed store_failed true']));
  expect(lines.slice(0, -failures.length)).not.toContain('failed store_failed true');
  const acknowledged = lines.slice(0, -failures.length).map((line) => sampleId(Number(line)));
  expect(acknowledged.length).toBeGreaterThan(50);
  const ids = await idsIn(folder);
  expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([]);
});

it('refuses a second process, and lets it in when the first was killed', async () => {
  const folder = temporaryFolder();
  const { child, printed } = appendIn(folder);
  await printed(1);
  const second = new LevelDBEventStore(folder);
  await expect(second.open()).rejects.toMatchObject({ code: 'store_locked', retryable: true });
  await expect(second.append([sampleEvent(-1)])).rejects.toMatchObject({ code: 'store_locked' });
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(await second.append([sampleEvent(0, { payload: 'x'.repeat(200) }), sampleEvent(-1)])).toEqual([
    'duplicate',
    'stored',
  ]);
  await second.close();
});

it('changes nothing of a store in a newer format', async () => {
  const folder = temporaryFolder();
  const newer = new ClassicLevel(folder);
  await newer.put('m format', '2');
  await newer.close();
  const store = new LevelDBEventStore(folder);
  await expect(store.open()).rejects.toMatchObject({ code: 'unsupported_format' });
  await expect(store.append([sampleEvent(1)])).rejects.toMatchObject({ code: 'unsupported_format' });
  await store.close();
  const again = new ClassicLevel(folder);
  expect(await again.keys().all()).toEqual(['m format']);
  await again.close();
});

it('says what keeps it from opening', async () => {
  const store = new LevelDBEventStore('/dev/null/events');
  await expect(store.open()).rejects.toMatchObject({ code: 'store_failed' });
  expect(() => new LevelDBEventStore('')).toThrow(TypeError);
});

it('keeps what it stores to the user who runs it', async () => {
  const folder = join(temporaryFolder(), 'made');
  const store = new LevelDBEventStore(folder);
  await store.open();
  await store.close();
  expect((statSync(folder).mode & 0o777).toString(8)).toBe('700');
});

it.each([
  [
    'a database of another program',
    async (folder: string) => {
      const foreign = new ClassicLevel(folder);
      await foreign.put('employee:7', 'ann');
      await foreign.close();
    },
  ],
  [
    'files whose names are like those of LevelDB',
    async (folder: string) => writeFileSync(join(folder, '000007.log'), 'x'),
  ],
])('changes nothing in a folder with %s', async (_, fill) => {
  const folder = temporaryFolder();
  await fill(folder);
  const store = new LevelDBEventStore(folder);
  await expect(store.append([sampleEvent(1)])).rejects.toMatchObject({ code: 'unsupported_format' });
  await store.close();
  if (!existsSync(join(folder, 'CURRENT'))) {
    expect(readdirSync(folder)).toEqual(['000007.log']);
    return;
  }
  const again = new ClassicLevel(folder);
  expect(await again.keys().all()).toEqual(['employee:7']);
  await again.close();
});

it('opens where its process died while it made the database', async () => {
  const folder = temporaryFolder();
  for (const name of ['LOCK', 'LOG', 'MANIFEST-000001', '000001.dbtmp', '.keep']) writeFileSync(join(folder, name), '');
  const store = new LevelDBEventStore(folder);
  expect(await store.append([sampleEvent(1)])).toEqual(['stored']);
  await store.close();
});

it('has codes for what is damaged, and lets go of a folder that it cannot open', async () => {
  const folder = temporaryFolder();
  const store = new LevelDBEventStore(folder);
  await store.append(Array.from({ length: 2_000 }, (_, n) => sampleEvent(n, { payload: 'x'.repeat(500) })));
  await store.close();
  // Opened once more, the log becomes a table.
  const again = new LevelDBEventStore(folder);
  await again.open();
  await again.close();
  const tables = readdirSync(folder).filter((name) => name.endsWith('.ldb'));
  expect(tables.length).toBeGreaterThan(0);
  for (const name of tables) {
    const path = join(folder, name);
    truncateSync(path, statSync(path).size >> 1);
  }
  const damaged = new LevelDBEventStore(folder);
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(damaged.open()).rejects.toMatchObject({ code: 'store_failed' });
  }
  await damaged.close();
});

it('says that it is closed to whoever reads while it closes', async () => {
  const store = new LevelDBEventStore(temporaryFolder());
  await store.append(Array.from({ length: 4_000 }, (_, n) => sampleEvent(n)));
  const reads = Array.from({ length: 20 }, () => store.read({ limit: 4_000, topic: '#' }));
  const ends = Promise.allSettled(reads);
  await store.close();
  const codes = (await ends).map((end) =>
    end.status === 'rejected' ? (end.reason as { code?: string }).code : 'read',
  );
  expect(new Set([...codes, 'closed', 'read'])).toEqual(new Set(['closed', 'read']));
  await expect(store.saveSnapshot('a', undefined)).rejects.toMatchObject({ code: 'closed' });
});
