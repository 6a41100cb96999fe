import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CATALOG } from './catalog.ts';
import type { Line } from './line.ts';

const RUN_MS_MAX = 240_000;
const FIGURES = ['limit', 'ratio', 'p50', 'p99'] as const;

/** Nothing here looks at a figure: these are benchmarks, not timed tests. It breaks when one does not run any more. */
describe('npm run bench', () => {
  let folder: string;
  let lines: Line[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bench-test-'));
    // A PostgreSQL that is started by root runs as somebody else, who has to get to its files.
    await chmod(folder, 0o711);
    const main = join(import.meta.dirname, 'main.ts');
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', main, '--json', '--smoke'], {
      env: { ...process.env, BENCH_DIR: folder },
    });
    lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  }, RUN_MS_MAX);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([...CATALOG.keys()])('prints one line for %s, with a figure and its unit', (name) => {
    const own = lines.filter((line) => line.name === name);
    expect(own).toHaveLength(1);
    const line = own[0]!;
    expect(line.unit).not.toBe('');
    expect(line.target).toBe(CATALOG.get(name)!.target);
    expect(line.value).toBeTypeOf('number');
    for (const figure of FIGURES) if (line[figure] !== undefined) expect(line[figure]).toBeGreaterThan(0);
    for (const detail of Object.values(line.details ?? {})) expect(detail).toBeTypeOf('number');
  });

  it('compares with a limit of the same run where performance depends on the machine', () => {
    const limited = lines.filter((line) => line.limit !== undefined && line.ratio !== undefined);
    const hasPostgres = lines.some(({ name, note }) => name === 'pg.publish' && note?.includes('skipped') !== true);
    const hasPeer = lines.some(({ name, note }) => name === 'ws.publish' && note?.includes('skipped') !== true);
    expect(limited.map((line) => line.name).sort()).toEqual([
      'append.durable',
      'append.growth',
      'beside.slow-readers',
      'beside.slow-requests',
      'emit.awaited',
      'emit.disabled',
      'emit.sync',
      'http.batch',
      'http.single',
      ...(hasPostgres ? ['members.elsewhere', 'pg.deliver', 'pg.instances', 'pg.publish'] : []),
      ...(hasPeer ? ['redis.publish', 'ws.publish'] : []),
    ]);
  });

  it('judges nothing by so small a run', () => {
    expect(lines.filter((line) => line.ok !== undefined)).toEqual([]);
  });

  it('leaves nothing on the disk', async () => {
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('the command line', () => {
  it('refuses a name that is no benchmark, and says which there are', async () => {
    const main = join(import.meta.dirname, 'main.ts');
    const run = promisify(execFile)(process.execPath, ['--conditions=source', main, 'append.durble']);
    await expect(run).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('append.durable') });
  });
});
