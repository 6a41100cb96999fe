// `npm run bench -- [--json] [--quick] [NAME…]`: measures and prints one line for each benchmark, or a table at the end.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import type { Scale } from './benchmark.ts';
import { CATALOG } from './catalog.ts';
import type { Line } from './line.ts';
import { scratchRoot } from './scratch-root.ts';
import { table } from './table.ts';

const USAGE = `npm run bench -- [--json] [--quick] [NAME…]

  --json   one JSON object per line, as each is measured
  --quick  about a minute: ${quickNames().join(', ')}
  --smoke  tiny numbers, to see that everything runs

  Names: ${[...CATALOG.keys()].join(', ')}
  BENCH_DIR is where files are written (default: node_modules/.cache/bench); it decides which disk is measured.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const unknown = positionals.filter((name) => !CATALOG.has(name));
if (values.help || unknown.length > 0) {
  console.error(unknown.length > 0 ? `Not a benchmark: ${unknown.join(', ')}\n\n${USAGE}` : USAGE);
  process.exit(unknown.length > 0 ? 2 : 0);
}

const scale: Scale = values.smoke ? 'smoke' : values.quick ? 'quick' : 'full';
const names = positionals.length > 0 ? positionals : scale === 'quick' ? quickNames() : [...CATALOG.keys()];
const root = scratchRoot();
await mkdir(root, { recursive: true });
const folder = await mkdtemp(join(root, 'run-'));
// Servers run under accounts of their own.
await chmod(folder, 0o711);
const sharedFolder = join(folder, 'shared');
await mkdir(sharedFolder);
const lines: Line[] = [];
let running: ChildProcess | undefined;
let isStopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    isStopped = true;
    running?.kill('SIGTERM');
  });
}
try {
  console.error(`${scale} run on ${availableParallelism()} cores, node ${process.version}, files in ${root}`);
  for (const name of names) {
    if (isStopped) break;
    console.error(`${name} …`);
    const line = await measure(name);
    if (line === undefined) {
      console.error(`${name} failed`);
      process.exitCode = 1;
      continue;
    }
    lines.push(line);
    if (values.json) console.log(JSON.stringify(line));
  }
  if (!values.json) console.log(table(lines));
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** A process of its own for each benchmark, so that no heap or compiled code of one is inherited by the next. */
async function measure(name: string): Promise<Line | undefined> {
  const own = join(folder, name);
  await mkdir(own);
  const script = join(import.meta.dirname, 'measure.ts');
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--expose-gc', script, name, scale, own, sharedFolder],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  running = child;
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  await rm(own, { recursive: true, force: true });
  return code === 0 ? (JSON.parse(printed) as Line) : undefined;
}

function quickNames(): string[] {
  return [...CATALOG].filter(([, entry]) => entry.quick).map(([name]) => name);
}
