import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { median } from './statistics.ts';

const ROOT = join(import.meta.dirname, '..');
/** Every file that asks the compiler whether payloads, topics and handlers belong together. */
const FILES = [
  'packages/core/test/typed/typed-bus.test.ts',
  'packages/core/test/typed/typed-events.test.ts',
  'packages/core/test/typed/types-on.test.ts',
  'packages/schema/test/json-schema.test.ts',
];
const LIMIT_MS = 10_000;

/** How long the compiler takes for the type tests with everything that they import, from nothing. */
export async function typesSuite(bench: Bench): Promise<Measured> {
  const rounds = sized(bench, { full: 5, quick: 3, smoke: 1 });
  const project = join(bench.folder, 'tsconfig.json');
  const compilerOptions = {
    composite: false,
    incremental: false,
    noEmit: true,
    typeRoots: [join(ROOT, 'node_modules/@types')],
  };
  const config = {
    extends: join(ROOT, 'tsconfig.base.json'),
    compilerOptions,
    files: FILES.map((file) => join(ROOT, file)),
  };
  await writeFile(project, JSON.stringify(config));
  const tookMs: number[] = [];
  for (let round = 0; round < rounds; round++) tookMs.push(await compileMs(project));
  const value = median(tookMs);
  return { value, unit: 'ms', ok: value <= LIMIT_MS, note: `tsc of ${FILES.length} files, median of ${rounds}` };
}

async function compileMs(project: string): Promise<number> {
  const startedMs = performance.now();
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const child = spawn(process.execPath, [compiler, '--project', project], { stdio: ['ignore', 2, 2] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new TypeError(`The type tests do not compile: ${code}.`);
  return performance.now() - startedMs;
}
