import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventManagerError } from '@event-manager/core';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { startService } from '../src/index.ts';
import { startFailure } from '../src/start-failure.ts';
import { configure } from './configure.ts';

async function failureOf(dataDir: string): Promise<string> {
  const configuration = configure({ adapter: 'journal', dataDir });
  return startService({ configuration, logger: pino({ level: 'silent' }) }).then(() => 'It started.', startFailure);
}

function systemError(code: string, syscall: string): Error {
  return Object.assign(new TypeError(`${code}: ${syscall}`), { code, syscall });
}

it('says what is wrong with a data directory and what to do, at once', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'event-manager-start-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'file'), '');
  expect(await failureOf(join(directory, 'file'))).toMatch(/a file has its name/);
  expect(await failureOf(join(directory, 'file', 'below'))).toMatch(/a part of its path is a file/);
});

it.runIf(process.platform === 'linux')('does not try for ever where no folder can be made', async () => {
  expect(await failureOf('/proc/nothing/can/be/made')).toMatch(/cannot be made here/);
});

it('advises a restart for nothing that a restart would meet again', () => {
  const stopped = (code: string, syscall = 'write') =>
    startFailure(
      new EventManagerError('store_failed', 'The store stopped. Restart it.', {}, systemError(code, syscall)),
    );
  expect(stopped('ENOSPC')).toMatch(/Make space/);
  expect(stopped('EROFS', 'open')).toMatch(/read-only/);
  expect(stopped('EIO', 'read')).toBe('The data directory cannot be opened: EIO: read [store_failed]');
  expect(startFailure(systemError('EACCES', 'listen'))).toMatch(/The port/);
  expect(startFailure(systemError('EACCES', 'mkdir'))).toMatch(/The data directory/);
});
