// Runs one benchmark in a process of its own and prints its line: `measure.ts NAME SCALE FOLDER SHARED_FOLDER`.
import type { Scale } from './benchmark.ts';
import { CATALOG } from './catalog.ts';
import { lineOf } from './line.ts';

const [name, scale, folder, sharedFolder] = process.argv.slice(2) as [string, Scale, string, string];
// An exit that can be seen coming ends the processes that the benchmark started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
const entry = CATALOG.get(name);
if (!entry) throw new TypeError(`There is no benchmark ${name}.`);
const run = await entry.load();
const { ok, ...measured } = await run({ scale, folder, sharedFolder });
// The figures of a smoke run say nothing, so neither does a comparison with the target.
const line = lineOf(name, entry.target, ok === undefined || scale === 'smoke' ? measured : { ...measured, ok });
process.stdout.write(`${JSON.stringify(line)}\n`, () => process.exit(0));
