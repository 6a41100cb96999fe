/** `npm run demo`: the main job on real input. With `-- --url URL` it uses a service that runs, otherwise it starts one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runDemo } from './run-demo.ts';
import { ServiceProcess } from './service-process.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);

async function withOwnService(): Promise<boolean> {
  const dataDir = mkdtempSync(join(tmpdir(), 'event-manager-demo-'));
  try {
    // The receivers of the demo are on this machine, which webhooks may not call unless somebody says so.
    const environment = { EVENT_MANAGER_WEBHOOK_ALLOW: 'loopback' };
    const service = await ServiceProcess.start({ dataDir, port: 0, environment });
    print(`A service was started on ${service.url}, on a journal of its own.`);
    try {
      return await runDemo(service.url, print);
    } finally {
      await service.stop();
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const { url } = parseArgs({ options: { url: { type: 'string' } } }).values;
try {
  const agree = url === undefined ? await withOwnService() : await runDemo(url.replace(/\/$/, ''), print);
  process.exitCode = agree ? 0 : 1;
} catch (error) {
  process.stderr.write(`github-demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
