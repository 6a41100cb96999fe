import type { Disk, DiskFile } from '@event-manager/core';

type HeldOperation = 'read' | 'sync' | 'rename' | 'remove';

/** An operation that waits until the test lets it go on. */
export interface Hold {
  /** Resolves when the operation was begun. */
  readonly begun: Promise<void>;
  readonly letGo: () => void;
}

interface Order {
  readonly operation: HeldOperation;
  readonly path: RegExp;
  readonly begin: () => void;
  readonly released: Promise<void>;
}

/** A disk that can be made to wait at an operation, and that remembers what is open, removed and renamed. */
export class WatchedDisk implements Disk {
  /** Paths of the files that are open. */
  readonly openPaths: string[] = [];
  /** Paths that were removed, and targets of renames, in order. */
  readonly changed: string[] = [];
  /** Paths whose sync was asked for, in order. */
  readonly synced: string[] = [];
  readonly #disk: Disk;
  #orders: Order[] = [];
  #opensLeft = Number.POSITIVE_INFINITY;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Holds the next such operation. */
  hold(operation: HeldOperation, path: RegExp): Hold {
    const begun = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    this.#orders.push({ operation, path, begin: begun.resolve, released: released.promise });
    return { begun: begun.promise, letGo: released.resolve };
  }

  /** Lets so many files be opened and refuses one, as a process does that has too many open. */
  refuseOpenAfter(count: number): void {
    this.#opensLeft = count;
  }

  get hasRefused(): boolean {
    return this.#opensLeft < 0;
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    if (this.#opensLeft-- === 0) throw Object.assign(new TypeError('Too many open files.'), { code: 'EMFILE' });
    const file = await this.#disk.open(path, mode);
    this.openPaths.push(path);
    return {
      path,
      size: () => file.size(),
      read: (into, at) => this.#pass('read', path).then(() => file.read(into, at)),
      write: (bytes, at) => file.write(bytes, at),
      sync: () => {
        this.synced.push(path);
        return this.#pass('sync', path).then(() => file.sync());
      },
      truncate: (length) => file.truncate(length),
      close: () => {
        this.openPaths.splice(this.openPaths.indexOf(path), 1);
        return file.close();
      },
    };
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#pass('rename', to);
    this.changed.push(to);
    await this.#disk.rename(from, to);
  }

  async remove(path: string): Promise<void> {
    await this.#pass('remove', path);
    this.changed.push(path);
    await this.#disk.remove(path);
  }

  makeDir(path: string): Promise<void> {
    return this.#disk.makeDir(path);
  }

  list(dir: string): Promise<string[]> {
    return this.#disk.list(dir);
  }

  syncDir(dir: string): Promise<void> {
    return this.#disk.syncDir(dir);
  }

  lock(path: string): Promise<(() => Promise<void>) | undefined> {
    return this.#disk.lock(path);
  }

  freeBytes(dir: string): Promise<number> {
    return this.#disk.freeBytes(dir);
  }

  async #pass(operation: HeldOperation, path: string): Promise<void> {
    const order = this.#orders.find((candidate) => candidate.operation === operation && candidate.path.test(path));
    if (order === undefined) return;
    this.#orders = this.#orders.filter((other) => other !== order);
    order.begin();
    await order.released;
  }
}
