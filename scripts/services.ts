// `node scripts/services.ts`: private real servers for tests and benchmarks by hand. Prints their urls and runs until Ctrl-C; then
// nothing of them is left. With `--when-asked` it starts none before a test asks, prints where to ask, and ends with its input.
import { once } from 'node:events';
import { registerHooks } from 'node:module';
import { parseArgs } from 'node:util';

// Without `--conditions=source`, which nobody remembers to type, our names would mean what was built last.
registerHooks({
  resolve: (specifier, context, next) => {
    const conditions = specifier.startsWith('@event-manager/') ? [...context.conditions, 'source'] : context.conditions;
    return next(specifier, { ...context, conditions });
  },
});
const { openRun, SERVER_KINDS, sharedServer } = await import('@event-manager/testing/servers');

const { values } = parseArgs({ options: { 'when-asked': { type: 'boolean', default: false } } });
const run = await openRun();
const ended = [once(process, 'SIGINT'), once(process, 'SIGTERM'), once(process, 'SIGHUP')];
if (values['when-asked']) {
  // Ctrl-C is for those who ask: they end first, and our input with them.
  process.stdout.write(`${run.url}\n`);
  await once(process.stdin.resume(), 'close');
} else {
  for (const kind of SERVER_KINDS) {
    const server = await sharedServer(kind);
    process.stdout.write('url' in server ? `${variableOf(kind)}=${server.url}\n` : `${kind}: ${server.missing}\n`);
  }
  process.stdout.write('Running until Ctrl-C.\n');
  // Waiting for a signal alone does not keep a process alive.
  const alive = setInterval(() => {}, 2 ** 30);
  await Promise.race(ended);
  clearInterval(alive);
}
await run.close();

function variableOf(kind: string): string {
  return `TEST_${kind.toUpperCase()}_URL`;
}
