import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const program = join(import.meta.dirname, 'off-program.ts');

interface Measured {
  readonly modules: readonly string[];
  readonly heapBytes: number;
  readonly startCpuMs: number;
}

/** A program in a process of its own: what it loads is told by a hook of Node's loader, not by what we believe. */
async function measure(how: string, environment: Record<string, string> = {}): Promise<Measured> {
  const flags = ['--conditions=source', '--expose-gc', '--no-warnings', program, how];
  const { stdout } = await run(process.execPath, flags, { env: { PATH: process.env['PATH'], ...environment } });
  return JSON.parse(stdout) as Measured;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
/** Paths within packages, or the name of a dependency. */
const names = ({ modules }: Measured) => modules.map((url) => url.replace(/^.*\/(?:packages|node_modules)\//, ''));
const ofEventSystem = (name: string) =>
  /^(core|webhook)\//.test(name) || /^components\/src\/(system|observe|export|sanitize)\//.test(name);
const ENTRY = ['component-registry.ts', 'execution-context.ts', 'index.ts'].map((name) => `components/src/${name}`);

const START_CPU_MS_MAX = 100;

describe('off', () => {
  it('loads the three files of the entry, and nothing that emits', { timeout: 120_000 }, async () => {
    const off = await measure('off');
    expect(
      names(off)
        .filter((name) => name !== 'components/test/off-program.ts')
        .sort(),
    ).toEqual(ENTRY);
  });

  it('loads only what reads settings when it may be switched on', { timeout: 120_000 }, async () => {
    const off = names(await measure('configured'));
    expect(off.filter(ofEventSystem)).toEqual([]);
    expect(
      off.filter(
        (name) =>
          !/^components\/(test\/off-program|src\/(index|component-registry|execution-context|events-switch|report|configuration\/[a-z-]+))\.ts$/.test(
            name,
          ),
      ),
    ).toEqual([]);
    const on = names(await measure('configured', { EVENT_MANAGER_EVENTS_ENABLED: 'true' }));
    expect(on.filter(ofEventSystem).length).toBeGreaterThan(50);
  });

  it('reads a file with a parser, and still nothing that emits', { timeout: 120_000 }, async () => {
    const off = names(await measure('file'));
    expect(off.filter(ofEventSystem)).toEqual([]);
    expect(off.some((name) => name.startsWith('smol-toml/'))).toBe(true);
  });

  /** What is compared is the same program without this package at all. */
  it('leaves heap and start as they are', { timeout: 240_000 }, async () => {
    const rounds = 5;
    const all: Record<string, Measured[]> = { bare: [], off: [], on: [] };
    for (let round = 0; round < rounds; round++) {
      all['bare']!.push(await measure('bare'));
      all['off']!.push(await measure('off'));
    }
    all['on']!.push(await measure('on'));
    const figures = Object.fromEntries(
      Object.entries(all).map(([how, measured]) => [
        how,
        {
          heapKiB: Math.round(median(measured.map(({ heapBytes }) => heapBytes)) / 1024),
          startCpuMs: Math.round(median(measured.map(({ startCpuMs }) => startCpuMs)) * 10) / 10,
        },
      ]),
    );
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    // The text and code of three small files; the event system takes megabytes.
    expect(figures['off']!.heapKiB - figures['bare']!.heapKiB).toBeLessThan(200);
    expect(figures['on']!.heapKiB - figures['bare']!.heapKiB).toBeGreaterThan(1_000);
    // Three small files to read; the event system is a hundred. Time of the processor, so that a busy machine says the same.
    expect(figures['off']!.startCpuMs - figures['bare']!.startCpuMs).toBeLessThan(START_CPU_MS_MAX);
    expect(figures['on']!.startCpuMs - figures['bare']!.startCpuMs).toBeGreaterThan(START_CPU_MS_MAX);
  });
});
