import { posix } from 'node:path';
import type { Disk, DiskFile } from '@event-manager/core';
import { DiskError } from './disk-error.ts';
import type { DiskOperation } from './disk-faults.ts';
import type { DiskMedium } from './disk-medium.ts';
import { SimulatedFile } from './simulated-file.ts';

/**
 * What a call does now; what it gives back is done when the answer comes. Either may throw a `DiskError`.
 */
type Effect<T> = () => () => T;

/** How one process sees a simulated disk. Once it was killed, nothing it asked or asks for is answered any more. */
export class MountedDisk implements Disk {
  readonly #medium: DiskMedium;
  readonly #locks = new Set<string>();
  #isAlive = true;

  constructor(medium: DiskMedium) {
    this.#medium = medium;
  }

  /** Ends the process: its locks are free, its handles dead. What it had written stays in the page cache. */
  kill(): void {
    this.#isAlive = false;
    for (const path of this.#locks) this.#medium.locks.delete(path);
  }

  open(givenPath: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    const path = posix.normalize(givenPath);
    return this.#perform('open', path, () => {
      const known = this.#medium.names.get(path);
      if (mode !== 'create') return answer(this.#handle(path, mode, found(known, 'open', path)));
      if (known !== undefined) throw new DiskError('EEXIST', 'open', path);
      this.#assertFolder('open', posix.dirname(path), path);
      const file = new SimulatedFile();
      this.#medium.names.create(path, file);
      return answer(this.#handle(path, mode, file));
    });
  }

  rename(givenFrom: string, givenTo: string): Promise<void> {
    const from = posix.normalize(givenFrom);
    const to = posix.normalize(givenTo);
    return this.#perform('rename', from, () => {
      found(this.#medium.names.get(from), 'rename', from);
      this.#assertFolder('rename', posix.dirname(to), to);
      this.#medium.names.rename(from, to);
      return answer(undefined);
    });
  }

  remove(givenPath: string): Promise<void> {
    const path = posix.normalize(givenPath);
    return this.#perform('remove', path, () => {
      found(this.#medium.names.get(path), 'unlink', path);
      this.#medium.names.remove(path);
      return answer(undefined);
    });
  }

  makeDir(givenPath: string): Promise<void> {
    const path = folderPath(givenPath);
    return this.#perform('makeDir', path, () => {
      if (this.#medium.names.get(path) !== undefined) throw new DiskError('EEXIST', 'mkdir', path);
      this.#medium.addFolder(path);
      return answer(undefined);
    });
  }

  list(givenDir: string): Promise<string[]> {
    const dir = folderPath(givenDir);
    return this.#perform('list', dir, () => {
      this.#assertFolder('scandir', dir, dir);
      return answer(this.#medium.names.namesIn(dir));
    });
  }

  syncDir(givenDir: string): Promise<void> {
    const dir = folderPath(givenDir);
    return this.#perform('syncDir', dir, () => {
      this.#assertFolder('fsync', dir, dir);
      return this.#medium.names.beginSync(dir);
    });
  }

  lock(givenPath: string): Promise<(() => Promise<void>) | undefined> {
    const path = posix.normalize(givenPath);
    return this.#perform('lock', path, () => {
      this.#assertFolder('open', posix.dirname(path), path);
      if (this.#medium.locks.has(path)) return answer(undefined);
      this.#medium.locks.add(path);
      this.#locks.add(path);
      return answer(async () => {
        if (this.#locks.delete(path) && this.#isAlive) this.#medium.locks.delete(path);
      });
    });
  }

  freeBytes(givenDir: string): Promise<number> {
    return this.#perform('freeBytes', folderPath(givenDir), () => answer(this.#medium.freeBytes()));
  }

  #handle(path: string, mode: 'read' | 'write' | 'create', file: SimulatedFile): DiskFile {
    let isClosed = false;
    const perform = <T>(operation: DiskOperation, effect: Effect<T>) =>
      this.#perform(operation, path, () => {
        if (isClosed) throw new DiskError('EBADF', operation, path);
        return effect();
      });
    const assertWritable = (operation: DiskOperation) => {
      if (mode === 'read') throw new DiskError('EBADF', operation, path);
    };

    return {
      path,
      size: () => perform('size', () => () => file.size),
      read: (into, at) => perform('read', () => () => file.read(into, at)),
      write: (bytes, at) =>
        perform('write', () => {
          assertWritable('write');
          const taken = this.#takenBytes(file, path, bytes.length, at);
          file.write(bytes.subarray(0, taken), at);
          return answer(taken);
        }),
      sync: () => perform('sync', () => this.#beginSync(file, path)),
      truncate: (length) =>
        perform('truncate', () => {
          assertWritable('truncate');
          file.truncate(length);
          return answer(undefined);
        }),
      close: () =>
        perform('close', () => {
          isClosed = true;
          return answer(undefined);
        }),
    };
  }

  /** A failure strikes when the sync has been under way for its time: what it was to write is then lost for good. */
  #beginSync(file: SimulatedFile, path: string): () => void {
    const fault = this.#medium.faults.take('sync', path);
    const sync = file.beginSync();
    return () => {
      if (fault === undefined) return file.completeSync(sync);
      file.failSync(sync);
      throw fault;
    };
  }

  #takenBytes(file: SimulatedFile, path: string, count: number, at: number): number {
    const growth = Math.max(0, at + count - file.size);
    const missing = Math.max(0, growth - this.#medium.freeBytes());
    if (missing > 0 && missing >= count) throw new DiskError('ENOSPC', 'write', path);
    return this.#medium.takenBytes(count - missing);
  }

  #assertFolder(syscall: string, folder: string, path: string): void {
    if (!this.#medium.folders.has(folder)) throw new DiskError('ENOENT', syscall, path);
  }

  /** Every call goes through here: alive? fault? effect now; answer later, unless the process was killed meanwhile. */
  async #perform<T>(operation: DiskOperation, path: string, effect: Effect<T>): Promise<T> {
    if (!this.#isAlive) return unanswered();
    this.#medium.onOperation(operation, path);
    // The observer may have crashed this very process.
    if (!this.#isAlive) return unanswered();
    const fault = operation === 'sync' ? undefined : this.#medium.faults.take(operation, path);
    if (fault !== undefined) throw fault;
    const finish = effect();
    return new Promise((resolve, reject) => {
      this.#medium.later(operation, () => {
        if (!this.#isAlive) return;
        try {
          resolve(finish());
        } catch (error) {
          reject(error);
        }
      });
    });
  }
}

function answer<T>(value: T): () => T {
  return () => value;
}

function unanswered(): Promise<never> {
  return new Promise(() => {});
}

function found(file: SimulatedFile | undefined, syscall: string, path: string): SimulatedFile {
  if (file === undefined) throw new DiskError('ENOENT', syscall, path);
  return file;
}

function folderPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}
