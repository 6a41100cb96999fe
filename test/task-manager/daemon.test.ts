import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findRunning, tellRunning } from '../../examples/task-manager/daemon.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';

/** Whoever has the port of a task manager that is gone answers in its place. */
async function answering(status: object): Promise<string> {
  const server = createServer((_request, response) => response.end(JSON.stringify(status))).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('tells nobody but its user which answer is its own, and signals nothing but a process', async () => {
  const dataDir = temporaryDirectory();
  const found = async (status: object) => {
    tellRunning(dataDir, { instance: 'drawn', url: await answering(status), tcpPort: 1 });
    return findRunning(dataDir);
  };
  expect(await found({ instance: 'drawn', pid: 4711, tasks: 2 })).toMatchObject({ pid: 4711, tasks: 2 });
  expect((statSync(join(dataDir, 'running.json')).mode & 0o777).toString(8)).toBe('600');
  // A signal to -1 ends every process of the user, to 0 every one of the terminal.
  for (const pid of [-1, 0, 1, 1.5, '4711', undefined])
    expect(await found({ instance: 'drawn', pid, tasks: 2 })).toBe(undefined);
  expect(await found({ instance: 'another', pid: 4711, tasks: 2 })).toBe(undefined);
});
