import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const DEMO = fileURLToPath(new URL('../../examples/github-demo/main.ts', import.meta.url));

async function runDemo(...args: readonly string[]): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, ['--conditions=source', DEMO, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => void (said += text));
  const [code] = await once(child, 'close');
  return { code, said };
}

it('shows the main job with a service of its own', async () => {
  const { code, said } = await runDemo();
  expect(said).toMatch(/^329 real GitHub payloads, \d+ types/m);
  expect(said).toMatch(/^webhook on github\.pull_request\.\*: (\d+) of \1 received, payloads equal\.$/m);
  expect(said).toMatch(/^webhook on #: 329 of 329 received, payloads equal\.$/m);
  expect(said).toMatch(/^stream of everything: 329 of 329 received, payloads equal\.$/m);
  expect(said).toMatch(/^All receivers agree with what was published\.$/m);
  expect(code, said).toBe(0);
});

it('uses a service that runs, leaves no subscription behind, and says what it needs', async () => {
  const start = async (environment: Record<string, string>) => {
    const service = await ServiceProcess.start({ dataDir: temporaryDirectory(), port: 0, environment });
    onTestFinished(async () => void (await service.stop('SIGKILL')));
    return service;
  };
  const { url } = await start({ EVENT_MANAGER_WEBHOOK_ALLOW: 'loopback' });
  expect((await runDemo('--url', url)).code).toBe(0);
  expect(await (await fetch(`${url}/subscriptions`)).json()).toEqual({ data: [], nextCursor: null });
  const strict = await runDemo('--url', (await start({})).url);
  expect(strict.said).toMatch(/EVENT_MANAGER_WEBHOOK_ALLOW=loopback/);
  expect(strict.code).toBe(1);
});
