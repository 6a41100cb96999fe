import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from './support/run.ts';
import { Spawned } from './support/spawned.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
/** Prints what every import was resolved to. */
const RECORD = `import { registerHooks } from 'node:module';
registerHooks({ resolve(specifier, context, next) {
  const found = next(specifier, context);
  process.stderr.write(found.url + '\\n');
  return found;
} });`;

async function modulesOf(...args: string[]): Promise<readonly string[]> {
  const hooks = join(temporaryFolder(), 'record.mjs');
  writeFileSync(hooks, RECORD);
  const ran = new Spawned(process.execPath, ['--conditions=source', '--import', hooks, CLI, ...args], {});
  ran.child.stdin!.end();
  expect(await ran.ended).toMatchObject({ code: 0 });
  return [...new Set(ran.err.split('\n').filter((url) => url.startsWith('file:')))];
}

it('loads nothing that the command does not need: every key of a completion starts a process', async () => {
  const heavy = /packages\/(server|client|journal)\/|node_modules\/(fastify|pino|ajv|ws)\//;
  for (const args of [['--version'], ['--help'], ['publish', '--help'], ['propose', '--', 'events', '']]) {
    const modules = await modulesOf(...args);
    expect([args, modules.filter((url) => heavy.test(url))]).toEqual([args, []]);
    expect(modules.length).toBeLessThan(80);
  }
  const settings = await modulesOf('config', 'check');
  expect(settings.filter((url) => /node_modules\/(fastify|pino|ajv|ws)\/|packages\/client/.test(url))).toEqual([]);
});
