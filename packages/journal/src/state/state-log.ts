import type { DiskFile } from '@event-manager/core';
import type { FailStop } from '../fail-stop.ts';
import { isDiskFull } from '../files/error-code.ts';
import { stateLogFile } from '../files/file-names.ts';
import type { Folder } from '../files/folder.ts';
import { writeFully } from '../files/write-fully.ts';
import { newSegmentId, segmentSeed } from '../format/segment-id.ts';
import { encodeStateHeader, STATE_LOG, type StateHeader } from '../format/state-frame.ts';

/** The state log that is written to. Its header travels with its first commits; its name is made durable before they are acknowledged. */
export class StateLog {
  readonly header: StateHeader;
  /** Durable length. */
  bytes: number;
  /** What the checksums of its frames start from. */
  readonly seed: number;
  readonly #folder: Folder;
  readonly #failStop: FailStop;
  readonly #file: DiskFile;
  #isNameDurable: boolean;

  constructor(folder: Folder, failStop: FailStop, file: DiskFile, header: StateHeader, bytes: number) {
    this.#folder = folder;
    this.#failStop = failStop;
    this.#file = file;
    this.header = header;
    this.seed = segmentSeed(header.id);
    this.bytes = bytes;
    this.#isNameDurable = bytes > 0;
  }

  static async create(folder: Folder, failStop: FailStop, sequence: number, epoch: number): Promise<StateLog> {
    const header = { what: STATE_LOG, epoch, id: newSegmentId(folder.runtime.chance), sequence };
    folder.failpoint('journal.state.create.before');
    const name = stateLogFile(sequence);
    failStop.assertRunning();
    // A file of this name can only be one whose first commits were never durable.
    await folder.removeIfThere(name);
    const file = await folder.open(name, 'create');
    folder.failpoint('journal.state.create.after');
    return new StateLog(folder, failStop, file, header, 0);
  }

  get name(): string {
    return stateLogFile(this.header.sequence);
  }

  /** What the frames of the next batch carry as durable mark. */
  get durableMark(): number {
    return this.bytes;
  }

  /** Makes frames durable at the end of the file, or leaves it as it was and throws `ENOSPC`, or stops the store. */
  async write(frames: Buffer): Promise<void> {
    const folder = this.#folder;
    const at = this.bytes;
    const bytes = at === 0 ? Buffer.concat([encodeStateHeader(this.header), frames]) : frames;
    folder.failpoint('journal.state.write.before');
    try {
      await writeFully(this.#file, bytes, at, folder.runtime);
    } catch (error) {
      if (!isDiskFull(error)) throw this.#failStop.stop('writing the state', error);
      await this.#cut(at);
      throw error;
    }
    folder.failpoint('journal.state.write.after');
    folder.failpoint('journal.state.sync.before');
    await this.#failStop.sync(this.#file, 'syncing the state', folder.runtime);
    folder.failpoint('journal.state.sync.after');
    if (!this.#isNameDurable) await this.#syncName();
    this.bytes = at + bytes.length;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #syncName(): Promise<void> {
    try {
      await this.#folder.syncDir();
    } catch (error) {
      throw this.#failStop.stop('syncing the directory', error);
    }
    this.#isNameDurable = true;
  }

  async #cut(length: number): Promise<void> {
    this.#failStop.assertRunning();
    try {
      await this.#file.truncate(length);
    } catch (error) {
      throw this.#failStop.stop('cutting back the state', error);
    }
  }
}
