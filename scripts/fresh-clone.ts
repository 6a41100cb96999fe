/**
 * `npm run fresh-clone`: clones the committed state into an empty folder, gives npm an empty cache, runs `npm start` there as
 * a newcomer would, and prints how long it took until the first event was stored. Downloads the dependencies.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from './repository-root.ts';

const LIMIT_MS = 300_000;
const LOOK_EVERY_MS = 100;

const dir = mkdtempSync(join(tmpdir(), 'event-manager-fresh-'));
const clone = join(dir, 'clone');
execFileSync('git', ['clone', '--quiet', '--no-hardlinks', repositoryRoot, clone]);
const port = await freePort();
const startedAtMs = performance.now();
const program = spawn('npm', ['start'], {
  cwd: clone,
  env: {
    ...withoutNpm(process.env),
    npm_config_cache: join(dir, 'npm-cache'),
    EVENT_MANAGER_PORT: String(port),
    EVENT_MANAGER_DATA_DIR: join(dir, 'data'),
  },
  stdio: ['ignore', 'inherit', 'inherit'],
  detached: true,
});
try {
  const status = await firstAnswer(port);
  const seconds = Math.round((performance.now() - startedAtMs) / 100) / 10;
  process.stdout.write(`${JSON.stringify({ name: 'fresh-clone', status, seconds, cache: 'empty' })}\n`);
  process.exitCode = status === 201 ? 0 : 1;
} finally {
  process.kill(-program.pid!, 'SIGTERM');
  await new Promise((resolve) => program.once('exit', resolve));
  // The service itself ends a moment after npm does.
  await until(async () => !(await answers(port)));
  rmSync(dir, { recursive: true, force: true });
}

async function firstAnswer(servedPort: number): Promise<number | undefined> {
  let status: number | undefined;
  await until(async () => {
    status = await publish(servedPort);
    return status !== undefined;
  });
  return status;
}

async function publish(servedPort: number): Promise<number | undefined> {
  try {
    const body = JSON.stringify({ type: 'clone.started', source: 'fresh-clone', payload: {} });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`http://127.0.0.1:${servedPort}/events`, { method: 'POST', headers, body });
    return response.status;
  } catch {
    return undefined;
  }
}

async function answers(servedPort: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${servedPort}/livez`).then(
    () => true,
    () => false,
  );
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + LIMIT_MS;
  while (performance.now() < deadlineMs) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** npm tells its children about itself by environment; a newcomer's shell does not have that. */
function withoutNpm(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !name.startsWith('npm_') && name !== 'INIT_CWD');
  const path = (environment['PATH'] ?? '').split(':').filter((part) => !part.includes('node_modules'));
  return { ...Object.fromEntries(kept), PATH: path.join(':') };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      const found = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(found));
    });
  });
}
