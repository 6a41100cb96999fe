import { type DiskFile, EventManagerError } from '@event-manager/core';
import type { Folder } from './folder.ts';

interface Entry {
  readonly file: Promise<DiskFile>;
  users: number;
  /** Set by `drop`: called when the last user is done. */
  whenIdle: (() => void) | undefined;
}

/**
 * Files open for reading, the least recently used closed first, so that a log of a thousand segments does not use up the
 * process's descriptors. A file in use is never closed.
 */
export class OpenFiles {
  readonly #folder: Folder;
  readonly #idleMax: number;
  readonly #entries = new Map<string, Entry>();
  #isClosed = false;

  constructor(folder: Folder, idleMax = 128) {
    this.#folder = folder;
    this.#idleMax = idleMax;
  }

  /** Runs `work` with the file open. */
  async use<T>(name: string, work: (file: DiskFile) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new EventManagerError('closed', 'The journal is closed.');
    const entry = this.#entries.get(name) ?? { file: this.#folder.open(name, 'read'), users: 0, whenIdle: undefined };
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    entry.users++;
    try {
      return await work(await entry.file);
    } catch (error) {
      if (!(await opened(entry))) this.#forget(name, entry);
      throw error;
    } finally {
      entry.users--;
      if (entry.users === 0) entry.whenIdle?.();
      if (this.#entries.size > this.#idleMax) await this.#closeOldest();
    }
  }

  /** Closes a file that is about to be removed or replaced, once nobody reads it any more. */
  async drop(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    if (entry.users > 0) await new Promise<void>((resolve) => (entry.whenIdle = resolve));
    if (await opened(entry)) await (await entry.file).close();
  }

  /** Closes every file once its users are done; nothing is opened any more. */
  async closeAll(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#entries.keys()].map((name) => this.drop(name)));
  }

  async #closeOldest(): Promise<void> {
    for (const [name, entry] of this.#entries) {
      if (entry.users === 0) return this.drop(name);
    }
  }

  #forget(name: string, entry: Entry): void {
    if (this.#entries.get(name) === entry) this.#entries.delete(name);
  }
}

async function opened(entry: Entry): Promise<boolean> {
  return entry.file.then(
    () => true,
    () => false,
  );
}
