import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { guide, namedBlocks, regionOf } from './regions.ts';

const root = join(import.meta.dirname, '../..');
const file = 'examples/realtime/main.ts';
const blocks = namedBlocks(guide('realtime.md'));

/** Whoever types what the guide shows has to get what it says. */
it('the guide to realtime shows its program as it is', () => {
  const shown = blocks.filter(({ language }) => language === 'ts');
  expect(shown.length).toBeGreaterThan(4);
  for (const { file: from, region, text } of shown) expect([from, text]).toEqual([file, regionOf(from, region)]);
});

it('and what it prints', { timeout: 60_000 }, async () => {
  const environment = { EVENT_MANAGER_WEBHOOK_ALLOW: 'loopback' };
  const service = await ServiceProcess.start({ dataDir: join(temporaryDirectory(), 'data'), port: 0, environment });
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  const env = { PATH: process.env['PATH'], EVENT_MANAGER_URL: service.url };
  const args = ['--conditions=source', join(root, file)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 30_000 });
  const printed = blocks.filter(({ language }) => language === 'text').map(({ text }) => text);
  expect(stdout).toBe(printed.join(''));
});
