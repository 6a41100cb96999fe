import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readSmallFile } from '../../src/configuration/read-small-file.ts';

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'event-manager-file-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

it('reads a file, also through a link', () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'file'), 'port = 1\n');
  symlinkSync('file', join(directory, 'link'));
  expect(readSmallFile(join(directory, 'link'))).toBe('port = 1\n');
});

it('refuses what is too large, before it is read', () => {
  const path = join(temporaryDirectory(), 'file');
  writeFileSync(path, '');
  truncateSync(path, 1024 ** 3);
  expect(() => readSmallFile(path)).toThrow(expect.objectContaining({ code: 'larger than 1 MiB' }));
});

// A running service reads its file again when it changes: it would stand still, or grow without end.
it.runIf(process.platform !== 'win32')('waits for no pipe and reads no device', () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'pipe');
  execFileSync('mkfifo', [path]);
  expect(() => readSmallFile(path)).toThrow(expect.objectContaining({ code: 'no regular file' }));
  expect(() => readSmallFile('/dev/zero')).toThrow(expect.objectContaining({ code: 'no regular file' }));
  expect(() => readSmallFile(directory)).toThrow(expect.objectContaining({ code: 'EISDIR' }));
  symlinkSync('loop', join(directory, 'loop'));
  expect(() => readSmallFile(join(directory, 'loop'))).toThrow(expect.objectContaining({ code: 'ELOOP' }));
});
