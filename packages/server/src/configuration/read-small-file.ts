import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Settings and secrets are a few kilobytes. */
const BYTES_MAX = 1024 * 1024;

/** A file that is there and is not read, with a `code` as errors of the system have it. */
class UnsuitableFile extends Error {
  override readonly name = 'UnsuitableFile';
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/**
 * The text of a file of settings. It is read in one go, while nothing else goes on, also in a service that runs: so it must be a
 * file, because a pipe would hold everything up until somebody writes and a device may never end, and a small one. Throws errors
 * with a `code`.
 */
export function readSmallFile(path: string): string {
  // Without O_NONBLOCK already opening a pipe would wait.
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = fstatSync(descriptor);
    if (stats.isDirectory()) throw new UnsuitableFile('EISDIR');
    if (!stats.isFile()) throw new UnsuitableFile('no regular file');
    if (stats.size > BYTES_MAX) throw new UnsuitableFile('larger than 1 MiB');
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}
