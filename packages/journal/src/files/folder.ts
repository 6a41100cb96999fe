import type { Disk, DiskFile, Runtime } from '@event-manager/core';
import type { Failpoint } from '../failpoints.ts';
import { errorCode } from './error-code.ts';
import { TEMPORARY_SUFFIX } from './file-names.ts';
import { readBytes } from './read-fully.ts';
import { writeFully } from './write-fully.ts';

/** One directory on a disk, with the few compound steps that the journal takes in it. Names are relative to it. */
export class Folder {
  readonly disk: Disk;
  readonly runtime: Runtime;
  readonly directory: string;

  constructor(disk: Disk, runtime: Runtime, directory: string) {
    this.disk = disk;
    this.runtime = runtime;
    this.directory = directory;
  }

  path(name: string): string {
    return `${this.directory}/${name}`;
  }

  folder(name: string): Folder {
    return new Folder(this.disk, this.runtime, this.path(name));
  }

  failpoint(name: Failpoint): void {
    this.runtime.failpoint(name);
  }

  make(): Promise<void> {
    return this.disk.makeDir(this.directory);
  }

  list(): Promise<string[]> {
    return this.disk.list(this.directory);
  }

  open(name: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    return this.disk.open(this.path(name), mode);
  }

  remove(name: string): Promise<void> {
    return this.disk.remove(this.path(name));
  }

  async removeIfThere(name: string): Promise<void> {
    try {
      await this.remove(name);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }

  async syncDir(): Promise<void> {
    if (this.runtime.planted.has('skip-directory-sync')) return;
    await this.disk.syncDir(this.directory);
  }

  freeBytes(): Promise<number> {
    return this.disk.freeBytes(this.directory);
  }

  /** All bytes of a file, or `undefined` when it is not there. */
  async readFile(name: string): Promise<Buffer | undefined> {
    let file: DiskFile;
    try {
      file = await this.open(name, 'read');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    try {
      return await readBytes(file, 0, await file.size());
    } finally {
      await file.close();
    }
  }

  /**
   * Makes `name` consist of exactly these chunks: temporary file, sync, rename, sync of the directory. A crash at any step
   * leaves the old file or the new one, and perhaps a temporary file that the next opening removes. `assertMay` is asked last
   * before the name changes hands: writing may take long, and the store may have stopped meanwhile.
   */
  async replaceFile(
    name: string,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    assertMay: () => void = () => {},
  ): Promise<void> {
    const temporary = name + TEMPORARY_SUFFIX;
    await this.removeIfThere(temporary);
    const file = await this.open(temporary, 'create');
    try {
      this.failpoint('journal.replace.write.before');
      let at = 0;
      for await (const chunk of chunks) {
        await writeFully(file, chunk, at, this.runtime);
        at += chunk.length;
      }
      this.failpoint('journal.replace.sync.before');
      await file.sync();
    } finally {
      await file.close();
    }
    this.failpoint('journal.replace.rename.before');
    assertMay();
    await this.disk.rename(this.path(temporary), this.path(name));
    this.failpoint('journal.replace.sync-dir.before');
    await this.syncDir();
    this.failpoint('journal.replace.after');
  }
}
