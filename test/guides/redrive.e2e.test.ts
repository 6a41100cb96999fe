import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EventManagerClient } from '@event-manager/client';
import type { DeadLetter } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { until } from '../e2e/support/until.ts';
import { holdAgainstProgram } from './one-program.ts';
import { guide } from './regions.ts';

const name = 'redriving-dead-letters.md';
const CLI = join(import.meta.dirname, '../../packages/cli/src/cli.ts');
const run = promisify(execFile);

holdAgainstProgram({ name, program: 'examples/redrive/main.ts', others: ['sh'] });

it('shows commands that do what it says', { timeout: 120_000 }, async () => {
  const service = await ServiceProcess.start({ dataDir: temporaryDirectory(), port: 0 });
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  const client = new EventManagerClient(service.url);
  onTestFinished(() => client.close());
  const receiver = { isDown: true, shipped: [] as unknown[] };
  await client.subscribe({
    name: 'shipping',
    topic: 'order.*',
    handler: ({ payload }) => {
      const { number, street } = payload;
      if (receiver.isDown || street === '') return { success: false, retry: false, error: 'refused' };
      receiver.shipped.push(`${number} to ${street}`);
      return undefined;
    },
  });
  for (const [number, street] of [
    [1, 'Elm Row'],
    [2, ''],
  ]) {
    await client.publish({ type: 'order.placed', source: 'shop', payload: { number, street } });
  }
  let letters: readonly DeadLetter[] = [];
  await until('both are dead letters', 10_000, async () => {
    letters = await client.listDeadLetters();
    return letters.length === 2;
  });
  receiver.isDown = false;
  const { groups } = await client.groupDeadLetters();
  const open = async () => (await client.listDeadLetters()).find(({ state }) => state === 'open')?.id ?? '';
  const commands = guide(name)
    .split('\n')
    .filter((line) => line.startsWith('event-manager '));
  expect(commands).toHaveLength(6);
  for (const command of commands) {
    if (command.includes('--edit')) await until('it died again', 10_000, async () => (await open()) !== '');
    const typed = command
      .replace(/^event-manager/, `${process.execPath} --conditions=source ${CLI}`)
      .replace('GROUPED', `--fingerprint ${groups[0]!.fingerprint}`)
      .replace(/\bID\b/, await open());
    const { stdout } = await run('bash', ['-c', typed], {
      env: { ...process.env, EVENT_MANAGER_URL: service.url },
    });
    expect(stdout, command).not.toBe('');
  }
  await until('both are shipped', 10_000, () => receiver.shipped.length === 2);
  expect(receiver.shipped).toEqual(['1 to Elm Row', '2 to Dock Street']);
});
