import { DiskError } from './disk-error.ts';

/** The system calls of a disk, by the names of `Disk` and `DiskFile`. */
export type DiskOperation =
  | 'open'
  | 'rename'
  | 'remove'
  | 'makeDir'
  | 'list'
  | 'syncDir'
  | 'lock'
  | 'freeBytes'
  | 'size'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'close';

export interface DiskFault {
  readonly operation: DiskOperation;
  /** The file or folder, or a pattern over their paths. */
  readonly path: string | RegExp;
  /** `EIO`, `ENOSPC`, `EMFILE`, … */
  readonly code: string;
  /** How often it happens before the disk works again. Once when absent. */
  readonly times?: number;
}

/** Failures that are ordered for later calls, each for so many times. */
export class DiskFaults {
  #waiting: { fault: DiskFault; left: number }[] = [];

  add(fault: DiskFault): void {
    this.#waiting.push({ fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** The error this call must fail with, if one was ordered. */
  take(operation: DiskOperation, path: string): DiskError | undefined {
    const hit = this.#waiting.find(({ fault }) => fault.operation === operation && matches(fault.path, path));
    if (hit === undefined) return undefined;
    if (--hit.left <= 0) this.#waiting = this.#waiting.filter((other) => other !== hit);
    return new DiskError(hit.fault.code, operation, path);
  }
}

function matches(wanted: string | RegExp, path: string): boolean {
  return typeof wanted === 'string' ? wanted === path : new RegExp(wanted).test(path);
}
