import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { guide, namedBlocks, namelessLanguages, regionOf } from './regions.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const program = 'examples/order/main.ts';
const text = guide('delivery-and-order.md');
const blocks = namedBlocks(text);

it.each(blocks.filter(({ language }) => language === 'ts'))(
  'shows $file#$region as it is',
  ({ file, region, text }) => {
    expect(file).toBe(program);
    expect(text).toBe(regionOf(file, region));
  },
);

it('shows what the program prints, and nothing that is not run', { timeout: 60_000 }, async () => {
  const { stdout } = await run(process.execPath, ['--conditions=source', join(root, program)]);
  const shown = blocks.filter(({ language }) => language === 'text').map((block) => block.text);
  expect(stdout).toBe(shown.join(''));
  expect(new Set(namelessLanguages(text))).toEqual(new Set(['sh']));
});

it('shows a request that is answered', { timeout: 60_000 }, async () => {
  const service = await ServiceProcess.start({ dataDir: temporaryDirectory(), port: 0 });
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  const body = JSON.stringify({ topic: '#', endpoint: 'https://example.com/', options: { order: 'key' } });
  const headers = { 'content-type': 'application/json' };
  const created = await fetch(`${service.url}/subscriptions`, { method: 'POST', headers, body });
  const { id } = (await created.json()) as { id: string };
  const [command] = text.split('\n').filter((line) => line.startsWith('curl '));
  const asked = command!.replace('http://127.0.0.1:3004', service.url).replace('/ID/', `/${id}/`);
  const { stdout } = await run('bash', ['-c', asked]);
  expect(JSON.parse(stdout)).toEqual({ data: [], nextCursor: null });
});
