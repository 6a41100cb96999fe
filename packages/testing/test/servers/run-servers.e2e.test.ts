import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { until } from '../../src/conformance/until.ts';
import { skipWithout } from '../../src/servers/index.ts';

const HOLDER = join(import.meta.dirname, 'holder.ts');
const SERVICES = join(import.meta.dirname, '../../../../scripts/services.ts');

beforeEach(async (context) => {
  await skipWithout('postgres', context);
  await skipWithout('redis', context);
});

it('leaves no server and no folder behind when whoever started them is killed', async () => {
  const { child, line } = await started([HOLDER]);
  const held = JSON.parse(line) as { urls: string[]; folders: string[] };
  expect(held.folders.every((folder) => existsSync(folder))).toBe(true);
  child.kill('SIGKILL');
  await until('their folders are gone', () => !held.folders.some((folder) => existsSync(folder)));
  for (const url of held.urls) await expect(connected(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

it('starts one server for all who ask, and ends it with the input of the program', async () => {
  const { child, line } = await started([SERVICES, '--when-asked']);
  const ask = async () => (await (await fetch(`${line}/redis`)).json()) as { url: string };
  const asked = await Promise.all([ask(), ask(), ask(), ask()]);
  expect(new Set(asked.map(({ url }) => url)).size).toBe(1);
  expect((await fetch(`${line.slice(0, -1)}/redis`)).status).toBe(404);
  child.stdin!.end();
  expect(await once(child, 'exit')).toEqual([0, null]);
  await expect(connected(asked[0]!.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

it('prints urls for people and ends with Ctrl-C', async () => {
  const { child, line } = await started([SERVICES]);
  expect(line).toMatch(/^TEST_POSTGRES_URL=postgres:\/\//);
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

async function started(args: readonly string[]): Promise<{ child: ChildProcess; line: string }> {
  const { TEST_SERVERS: _, ...environment } = process.env;
  const child = spawn(process.execPath, ['--conditions=source', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: environment,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = await once(createInterface(child.stdout), 'line');
  return { child, line };
}

/** Resolves when somebody listens there. */
async function connected(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
}
