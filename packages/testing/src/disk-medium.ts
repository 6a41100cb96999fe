import { posix } from 'node:path';
import type { Timers } from '@event-manager/core';
import { DiskFaults, type DiskOperation } from './disk-faults.ts';
import type { SeededChance } from './seeded-chance.ts';
import type { CrashMode } from './simulated-file.ts';
import { SimulatedNames } from './simulated-names.ts';

/** Usual and longest times of an operation: a sync is slow, and now and then very slow. */
const USUAL_MS = 0.1;
const SYNC_MS = 2;
const STALL_MS = 80;
const STALL_SHARE = 0.02;

export interface DiskMediumOptions {
  readonly chance: SeededChance;
  readonly timers: Timers | undefined;
  readonly shortWriteShare: number;
  readonly onOperation: (operation: DiskOperation, path: string) => void;
}

/** What outlives the processes that use it: files, folders, space, and the faults that wait for them. */
export class DiskMedium {
  readonly names = new SimulatedNames();
  readonly folders = new Set<string>(['/', '.']);
  readonly faults = new DiskFaults();
  /** Paths that are locked by a living process. */
  readonly locks = new Set<string>();
  readonly onOperation: (operation: DiskOperation, path: string) => void;
  /** How many bytes all files together may have. */
  capacityBytes = Number.POSITIVE_INFINITY;

  readonly #chance: SeededChance;
  readonly #timers: Timers | undefined;
  readonly #shortWriteShare: number;

  constructor(options: DiskMediumOptions) {
    this.#chance = options.chance;
    this.#timers = options.timers;
    this.#shortWriteShare = options.shortWriteShare;
    this.onOperation = options.onOperation;
  }

  usedBytes(): number {
    let used = 0;
    for (const file of this.names.files()) used += file.size;
    return used;
  }

  freeBytes(): number {
    if (this.capacityBytes === Number.POSITIVE_INFINITY) return Number.MAX_SAFE_INTEGER;
    return Math.max(0, this.capacityBytes - this.usedBytes());
  }

  addFolder(path: string): void {
    for (let folder = path; !this.folders.has(folder); folder = posix.dirname(folder)) this.folders.add(folder);
  }

  /** How many of `count` bytes a write takes this time. */
  takenBytes(count: number): number {
    const isShort = count > 1 && this.#shortWriteShare > 0 && this.#chance.happens(this.#shortWriteShare);
    return isShort ? 1 + this.#chance.integer(count - 1) : count;
  }

  /** Calls `answer` when an operation that begins now is done: at once if the disk takes no time. */
  later(operation: DiskOperation, answer: () => void): void {
    if (this.#timers === undefined) answer();
    else this.#timers.after(this.#latencyMs(operation), answer);
  }

  crash(mode: CrashMode): void {
    for (const file of this.names.allFiles()) file.crash(this.#chance, mode);
    this.names.crash(this.#chance, mode);
  }

  #latencyMs(operation: DiskOperation): number {
    const isSync = operation === 'sync' || operation === 'syncDir';
    const usualMs = isSync ? SYNC_MS : USUAL_MS;
    return this.#chance.fraction() * (isSync && this.#chance.happens(STALL_SHARE) ? STALL_MS : usualMs);
  }
}
