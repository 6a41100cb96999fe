// A program with one component: `off-program.ts HOW`. Prints what was loaded, its heap and how much of a processor it took to be ready.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const modules = new Set<string>();
registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) modules.add(url);
    return next(url, context);
  },
});

const how = process.argv[2];
const startedWith = process.cpuUsage();
let component: (n: number) => number = (n) => n + 1;
if (how !== 'bare') {
  const { ComponentRegistry } = await import('@event-manager/components');
  const registry = await registryOf(ComponentRegistry);
  component = registry.createExecutionContext().wrapTool('increment', component);
}
for (let n = 0; n < 1_000; n++) component(n);
const { user, system } = process.cpuUsage(startedWith);
const startCpuMs = (user + system) / 1_000;
globalThis.gc!();
const { heapUsed } = process.memoryUsage();
process.stdout.write(JSON.stringify({ modules: [...modules], heapBytes: heapUsed, startCpuMs }), () => process.exit(0));

type Registry = import('@event-manager/components').ComponentRegistry;

async function registryOf(made: typeof import('@event-manager/components').ComponentRegistry): Promise<Registry> {
  if (how === 'off') return new made();
  if (how === 'on') return made.configured({ config: { enabled: true } });
  if (how === 'configured') return made.configured();
  const folder = mkdtempSync(join(tmpdir(), 'events-off-'));
  const file = join(folder, 'app.toml');
  writeFileSync(file, '[events]\nenabled = false\n');
  const registry = await made.configured({ file });
  rmSync(folder, { recursive: true });
  return registry;
}
