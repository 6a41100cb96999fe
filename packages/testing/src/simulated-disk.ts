import { posix } from 'node:path';
import type { Disk, DiskFile, Timers } from '@event-manager/core';
import type { DiskFault, DiskOperation } from './disk-faults.ts';
import { DiskMedium } from './disk-medium.ts';
import { MountedDisk } from './mounted-disk.ts';
import { SeededChance } from './seeded-chance.ts';
import { type CrashMode, SimulatedFile } from './simulated-file.ts';

export interface SimulatedDiskOptions {
  /** Decides what a crash keeps, how long operations take and which writes are short. Seed 1 when absent. */
  readonly chance?: SeededChance;
  /** Operations take time on these. Without them everything is answered at once. */
  readonly timers?: Timers;
  /** The share of writes that take fewer bytes than given. 0 when absent. */
  readonly shortWriteShare?: number;
  /** Called before each operation takes effect, for traces and for crashing at every step. */
  readonly onOperation?: (operation: DiskOperation, path: string) => void;
}

/**
 * A disk in memory that behaves as badly as a real one is allowed to.
 *
 * Data is durable after `sync` of the file, names after `syncDir` of the folder; `crash` takes chance on everything else (see
 * `simulated-file.ts` and `simulated-names.ts`). Folders themselves are durable at once. The effect of a write, truncation
 * or change of names is there at the call, as in a page cache, and the answer comes later; that of a sync comes with the
 * answer. So a crash between call and answer may or may not have done it, as with a real disk.
 *
 * Handles and locks belong to a process: after `crash` or `kill` nothing that a dead process still waits for is ever
 * answered, and its locks are free. The object itself serves as the disk of the process that is alive; `mount` gives the
 * disk as a process of its own sees it, so that a second one can be run beside and late calls of a dead one reach nothing.
 */
export class SimulatedDisk implements Disk {
  readonly #medium: DiskMedium;
  readonly #mounts = new Set<MountedDisk>();
  #own: MountedDisk;

  constructor(options: SimulatedDiskOptions = {}) {
    this.#medium = new DiskMedium({
      chance: options.chance ?? new SeededChance(1),
      timers: options.timers,
      shortWriteShare: options.shortWriteShare ?? 0,
      onOperation: options.onOperation ?? (() => {}),
    });
    this.#own = this.mount();
  }

  /** The disk as one more process sees it; its `kill` ends that process alone. */
  mount(): MountedDisk {
    const mounted = new MountedDisk(this.#medium);
    this.#mounts.add(mounted);
    return mounted;
  }

  /** Power loss: every process dies, and of what was not synced only what chance wants is left. */
  crash(mode: CrashMode = 'chance'): void {
    this.kill();
    this.#medium.crash(mode);
  }

  /** `kill -9` of every process: nothing written is lost. */
  kill(): void {
    for (const mounted of this.#mounts) mounted.kill();
    this.#mounts.clear();
    this.#own = this.mount();
  }

  /** Orders a failure of later calls. */
  fail(fault: DiskFault): void {
    this.#medium.faults.add(fault);
  }

  /**
   * The next syncs of the file fail with `EIO`. What they were to write counts as written for the page cache, so that a later
   * sync says OK, but is lost by a crash: so does the Linux kernel.
   */
  failSync(path: string | RegExp, times = 1): void {
    this.fail({ operation: 'sync', path, code: 'EIO', times });
  }

  /** Takes back the failures that did not happen yet. */
  clearFaults(): void {
    this.#medium.faults.clear();
  }

  /** Lets only `freeBytes` more be written; `Infinity` makes room again. */
  fill(freeBytes: number): void {
    this.#medium.capacityBytes = this.#medium.usedBytes() + freeBytes;
  }

  /** Changes one bit where it stands on the platter, as rot does. Bit 0 is the lowest of the first byte. */
  flipBit(path: string, bit: number): void {
    this.#file(path).flipBit(bit);
  }

  /** Paths of all files, sorted. */
  paths(): string[] {
    return this.#medium.names.paths();
  }

  /** A copy of what a program would read now. */
  contents(path: string): Uint8Array {
    return this.#file(path).contents();
  }

  /** Makes or replaces a file, durably and at no time: for planting damage or a finished state. */
  plant(path: string, bytes: Uint8Array): void {
    const normal = posix.normalize(path);
    this.#medium.addFolder(posix.dirname(normal));
    const file = new SimulatedFile();
    file.write(bytes, 0);
    file.completeSync(file.beginSync());
    this.#medium.names.plant(normal, file);
  }

  /** How many sectors a crash could take now. */
  get sectorsAtRisk(): number {
    let sectors = 0;
    for (const file of this.#medium.names.files()) sectors += file.sectorsAtRisk;
    return sectors;
  }

  open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    return this.#own.open(path, mode);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#own.rename(from, to);
  }

  remove(path: string): Promise<void> {
    return this.#own.remove(path);
  }

  makeDir(path: string): Promise<void> {
    return this.#own.makeDir(path);
  }

  list(dir: string): Promise<string[]> {
    return this.#own.list(dir);
  }

  syncDir(dir: string): Promise<void> {
    return this.#own.syncDir(dir);
  }

  lock(path: string): Promise<(() => Promise<void>) | undefined> {
    return this.#own.lock(path);
  }

  freeBytes(dir: string): Promise<number> {
    return this.#own.freeBytes(dir);
  }

  #file(path: string): SimulatedFile {
    const file = this.#medium.names.get(posix.normalize(path));
    if (file === undefined) throw new TypeError(`There is no file ${path} on the simulated disk.`);
    return file;
  }
}
