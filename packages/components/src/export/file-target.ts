/**
 * A file that lines are appended to.
 *
 * Others may rename or remove it (logrotate does): before each write its name is looked up, and when it leads elsewhere the file
 * is opened anew, so that nothing is written into what was moved away but what was under way. We rename it ourselves when it is
 * large or old: FILE becomes FILE.1, what was FILE.1 becomes FILE.2, and so on. A write that ended in the middle of a line, as on
 * a full disk, is followed by a line end, so that one line is broken and not two. After a crash the file ends with a line or a
 * part of one.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import type { Clock } from '@event-manager/core';
import type { EventsReport } from '../component-events.ts';
import type { LineTarget } from './line-export.ts';

export interface FileTargetOptions {
  readonly path: string;
  readonly bytesMax: number;
  /** 0: whatever its age. */
  readonly ageMsMax: number;
  readonly keep: number;
  readonly clock: Clock;
  readonly report: (report: EventsReport) => void;
}

/** Not through a link, which somebody else may have put there; and a pipe that nobody reads is an error and does not wait. */
const FLAGS =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  (constants.O_NOFOLLOW ?? 0) |
  (constants.O_NONBLOCK ?? 0);
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;
const LINE_END = Buffer.from('\n');

interface OpenFile {
  readonly handle: FileHandle;
  readonly inode: bigint;
  readonly device: bigint;
  readonly bornAtMs: number;
  bytes: number;
}

export class FileTarget implements LineTarget {
  readonly to: string;
  readonly #options: FileTargetOptions;
  #file: OpenFile | undefined;
  #isTorn = false;
  #toldOthers = false;

  constructor(options: FileTargetOptions) {
    this.#options = options;
    this.to = options.path;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const file = await this.#fileFor(bytes.length);
    if (this.#isTorn) file.bytes += (await file.handle.write(LINE_END)).bytesWritten;
    this.#isTorn = false;
    let at = 0;
    try {
      while (at < bytes.length) at += (await file.handle.write(bytes, at)).bytesWritten;
    } catch (error) {
      this.#isTorn = at > 0;
      throw error;
    } finally {
      file.bytes += at;
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close();
  }

  advice(code: string): string {
    return ADVICE.get(code) ?? 'the components go on without it.';
  }

  async #fileFor(bytes: number): Promise<OpenFile> {
    const file = this.#file;
    if (file && !(await this.#isStillThere(file))) await this.close();
    const current = this.#file ?? (await this.#open());
    const isFull = current.bytes > 0 && current.bytes + bytes > this.#options.bytesMax;
    const { ageMsMax, clock } = this.#options;
    const isOld = ageMsMax > 0 && current.bytes > 0 && clock.wallMs() - current.bornAtMs >= ageMsMax;
    if (!isFull && !isOld) return current;
    await this.close();
    await this.#rotate();
    return this.#open();
  }

  async #isStillThere({ inode, device }: OpenFile): Promise<boolean> {
    const found = await stat(this.to, { bigint: true }).catch(() => undefined);
    return found !== undefined && found.ino === inode && found.dev === device;
  }

  async #open(): Promise<OpenFile> {
    const handle = await open(this.to, FLAGS, OWNER_ONLY);
    try {
      const { ino, dev, size, mode, uid, birthtimeMs } = await handle.stat({ bigint: true });
      this.#tellOthers(Number(mode), Number(uid));
      const bornAtMs = size === 0n ? this.#options.clock.wallMs() : Number(birthtimeMs);
      this.#file = { handle, inode: ino, device: dev, bytes: Number(size), bornAtMs };
      return this.#file;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #rotate(): Promise<void> {
    const { keep } = this.#options;
    if (keep === 0) {
      await rm(this.to, { force: true });
      return;
    }
    await rm(`${this.to}.${keep}`, { force: true });
    for (let n = keep - 1; n >= 1; n--) await renameIfThere(`${this.to}.${n}`, `${this.to}.${n + 1}`);
    await renameIfThere(this.to, `${this.to}.1`);
  }

  /** Whoever made the file before us may have had a reason for its mode: it stays, and is told. */
  #tellOthers(mode: number, uid: number): void {
    const isForeign = uid !== process.getuid?.();
    if (((mode & OTHERS) === 0 && !isForeign) || this.#toldOthers || process.platform === 'win32') return;
    this.#toldOthers = true;
    const advice = isForeign ? 'it belongs to another user, so name another file' : 'chmod 600 would keep it private';
    const text = `The file of events ${this.to} was there before and others can read it; ${advice}.`;
    this.#options.report({ code: 'file_readable_by_others', text });
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

const MAY_NOT = 'this user may not write there; give it the directory (mkdir -p, chmod 755) or another file.';
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'the directory does not exist; make it with mkdir -p.'],
  ['ENOTDIR', 'a part of the path is no directory.'],
  ['EACCES', MAY_NOT],
  ['EPERM', MAY_NOT],
  ['EROFS', 'the file system is read-only.'],
  ['ENOSPC', 'the disk is full.'],
  ['EDQUOT', 'the quota of this user is used up.'],
  ['EISDIR', 'it is a directory; name a file in it.'],
  ['ELOOP', 'it is a link, which is not followed; name the file itself.'],
  ['ENXIO', 'it is a pipe that nobody reads.'],
  ['EMFILE', 'this process has too many files open.'],
]);
