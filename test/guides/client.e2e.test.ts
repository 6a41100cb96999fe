import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { clientSettings } from '../../packages/client/src/client-options.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { guide, namedBlocks, regionOf } from './regions.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** Texts of the blocks that say what a program prints. */
function printed(name: string, file: string): string {
  return namedBlocks(guide(name))
    .filter((block) => block.language === 'text' && block.file === file)
    .map((block) => block.text)
    .join('');
}

async function service(): Promise<ServiceProcess> {
  const started = await ServiceProcess.start({ dataDir: temporaryDirectory(), port: 0 });
  onTestFinished(async () => void (await started.stop('SIGKILL')));
  return started;
}

async function program(file: string, url?: string): Promise<string> {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, ...(url === undefined ? {} : { EVENT_MANAGER_URL: url }) };
  const { stdout } = await run(process.execPath, ['--conditions=source', join(root, file)], { env, timeout: 30_000 });
  return stdout;
}

/** Whoever types what a guide shows has to get what it says. */
describe.each(['first-service.md', 'subscribing.md'])('docs/guides/%s', (name) => {
  it('shows programs as they are', () => {
    const blocks = namedBlocks(guide(name)).filter(({ language }) => language === 'ts');
    expect(blocks.length).toBeGreaterThan(2);
    for (const { file, region, text } of blocks) expect([file, text]).toEqual([file, regionOf(file, region)]);
  });
});

it('the guide to the first service lists every option with its default', () => {
  const shown = guide('first-service.md').match(/^\| Option \|[\s\S]*?\n\n/m)![0];
  const names = [...shown.matchAll(/`(\w+)`(?=[^|]*\|)/g)].map(([, option]) => option!);
  const { runtime: _tests, ...settings } = clientSettings({});
  expect(new Set(names.filter((option) => option in settings))).toEqual(new Set(Object.keys(settings)));
  for (const option of ['publishTimeoutMs', 'requestTimeoutMs', 'heartbeatMs', 'drainMs', 'waitingMax'] as const) {
    expect(shown).toMatch(new RegExp(`\`${option}\`[^\\n]* ${settings[option]}\\b`));
  }
});

it('the first service: one program publishes what another receives', { timeout: 60_000 }, async () => {
  const { url } = await service();
  const env = { PATH: process.env['PATH'], EVENT_MANAGER_URL: url };
  const receiver = spawn(process.execPath, ['--conditions=source', join(root, 'examples/first-service/receive.ts')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void receiver.kill('SIGKILL'));
  const lines = createInterface(receiver.stdout)[Symbol.asyncIterator]();
  const first = await lines.next();
  expect(await program('examples/first-service/publish.ts', url)).toBe(
    printed('first-service.md', 'examples/first-service/publish.ts'),
  );
  const second = await lines.next();
  expect(`${first.value}\n${second.value}\n`).toBe(printed('first-service.md', 'examples/first-service/receive.ts'));
  receiver.kill('SIGTERM');
  await once(receiver, 'exit');
});

it('the same program embedded and over the network', { timeout: 60_000 }, async () => {
  const { url } = await service();
  const file = 'examples/first-service/either.ts';
  const expected = printed('first-service.md', file);
  expect(expected).not.toBe('');
  expect([await program(file), await program(file, url)]).toEqual([expected, expected]);
});

it('everything about subscribing', { timeout: 60_000 }, async () => {
  const { url } = await service();
  const file = 'examples/subscribing/main.ts';
  expect(await program(file, url)).toBe(printed('subscribing.md', file));
});
