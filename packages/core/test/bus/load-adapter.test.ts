import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** A process in which the packages of adapters cannot be found, as after `npm install @event-manager/core` alone. */
const ALONE = `
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve(specifier, context, next) {
      if (!/^@event-manager\\/(journal|redis)$/.test(specifier)) return next(specifier, context);
      throw Object.assign(new Error('Cannot find package ' + specifier), { code: 'ERR_MODULE_NOT_FOUND' });
    },
  });
  const { createEventBusAdapter, EventBus } = await import('@event-manager/core');
  for (const adapter of ['journal', 'redis']) {
    try {
      await createEventBusAdapter({ adapter });
    } catch ({ code, message, details }) {
      console.log(JSON.stringify({ code, message, details }));
    }
  }
  await using bus = new EventBus();
  await bus.publish('a', 'b', {});
  console.log('works');
`;

it('names the command that makes and installs an adapter, from the clone and no registry, and needs none for memory', async () => {
  const run = promisify(execFile);
  const flags = ['--conditions=source', '--input-type=module', '--eval', ALONE];
  const { stdout } = await run(process.execPath, flags, { cwd: import.meta.dirname });
  const lines = stdout.trim().split('\n');
  for (const [at, adapter] of ['journal', 'redis'].entries()) {
    const name = `@event-manager/${adapter}`;
    expect(JSON.parse(lines[at]!)).toEqual({
      code: 'adapter_not_installed',
      message: expect.stringMatching(
        new RegExp(`^The adapter ${adapter} is a package .* not installed\\. ${name} .*"npm run pack"`),
      ),
      details: { adapter, package: name },
    });
  }
  expect(lines[2]).toBe('works');
});

it('is allowed to import them by an installer that keeps packages apart: each is an optional peer', () => {
  const described = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const { peerDependencies, peerDependenciesMeta } = described;
  expect(Object.keys(peerDependencies)).toEqual(['@event-manager/journal', '@event-manager/redis']);
  for (const [name, version] of Object.entries(peerDependencies)) {
    expect(version).toBe(described.version);
    expect(peerDependenciesMeta).toHaveProperty([name], { optional: true });
  }
});
