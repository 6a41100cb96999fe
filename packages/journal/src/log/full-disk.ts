import { type Cancel, EventManagerError } from '@event-manager/core';
import type { FailStop } from '../fail-stop.ts';
import { isDiskFull } from '../files/error-code.ts';
import { RESERVE_FILE } from '../files/file-names.ts';
import type { Folder } from '../files/folder.ts';
import { writeFully } from '../files/write-fully.ts';

/*
 * What happens when the disk is full. States: roomy → full → roomy.
 *
 * Full is entered when a write of the log or of the state meets ENOSPC. Appends are refused with `disk_full`; commits of
 * state, which settle debts and so let retention make room, may use a reserve: a file of real zeros that is removed at
 * their first ENOSPC. A timer looks at the free space; when there is twice the reserve it restores the reserve and appends
 * are taken again. No restart is needed and no caller has to probe. Any other failure around the reserve says nothing about
 * space; it stops the store, as everywhere.
 */

const LOOK_EVERY_MS = 250;
const CHUNK = new Uint8Array(1 << 20);

export class FullDisk {
  readonly #folder: Folder;
  readonly #failStop: FailStop;
  readonly #reserveBytes: number;
  #isFull = false;
  #hasReserve = false;
  #cancelTimer: Cancel | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(folder: Folder, failStop: FailStop, reserveBytes: number) {
    this.#folder = folder;
    this.#failStop = failStop;
    this.#reserveBytes = reserveBytes;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** Makes sure of the reserve. A disk too full for it is not a reason to refuse to open. */
  async open(): Promise<void> {
    if (this.#reserveBytes === 0) return;
    try {
      const names = await this.#folder.list();
      if (names.includes(RESERVE_FILE)) {
        const file = await this.#folder.open(RESERVE_FILE, 'read');
        try {
          this.#hasReserve = (await file.size()) >= this.#reserveBytes;
        } finally {
          await file.close();
        }
        if (this.#hasReserve) return;
      }
      await this.#makeReserve();
    } catch (error) {
      if (!isDiskFull(error)) throw this.#failStop.stop('making the reserve', error);
      this.enter();
    }
  }

  /** The disk is full from now on until the timer finds room. */
  enter(): void {
    this.#isFull = true;
    if (this.#isClosed || this.#failStop.failed) return;
    this.#cancelTimer ??= this.#folder.runtime.timers.after(LOOK_EVERY_MS, () => {
      this.#cancelTimer = undefined;
      this.#looking = this.#look();
    });
  }

  assertRoom(): void {
    if (this.#isFull) throw this.refusal();
  }

  refusal(): EventManagerError {
    return new EventManagerError('disk_full', 'The disk is full; publishing resumes when there is space.', {
      retryAfterMs: LOOK_EVERY_MS,
    });
  }

  /** Gives the reserve to a commit that met a full disk. False when it is used up. */
  async releaseReserve(): Promise<boolean> {
    if (!this.#hasReserve) return false;
    this.#failStop.assertRunning();
    this.#hasReserve = false;
    await this.#folder.removeIfThere(RESERVE_FILE);
    return true;
  }

  /** Resolves when nothing touches the reserve any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    await this.#looking;
  }

  async #look(): Promise<void> {
    try {
      if (!(await this.#resume())) this.enter();
    } catch (error) {
      if (isDiskFull(error)) this.enter();
      else this.#failStop.stop('restoring the reserve', error);
    }
  }

  async #resume(): Promise<boolean> {
    const wanted = this.#reserveBytes * (this.#hasReserve ? 1 : 2);
    if (this.#isClosed || this.#failStop.failed || (await this.#folder.freeBytes()) < Math.max(wanted, CHUNK.length))
      return false;
    if (!this.#hasReserve && this.#reserveBytes > 0) await this.#makeReserve();
    if (this.#isClosed) return false;
    this.#isFull = false;
    return true;
  }

  async #makeReserve(): Promise<void> {
    await this.#folder.removeIfThere(RESERVE_FILE);
    const file = await this.#folder.open(RESERVE_FILE, 'create');
    try {
      for (let at = 0; at < this.#reserveBytes; at += CHUNK.length) {
        if (this.#isClosed || this.#failStop.failed) return;
        const length = Math.min(CHUNK.length, this.#reserveBytes - at);
        await writeFully(file, CHUNK.subarray(0, length), at, this.#folder.runtime);
      }
      await file.sync();
      this.#hasReserve = true;
    } finally {
      await file.close();
      if (!this.#hasReserve && !this.#failStop.failed) await this.#folder.removeIfThere(RESERVE_FILE);
    }
  }
}
