import type { DiskFile } from '@event-manager/core';
import type { FailStop } from '../fail-stop.ts';
import { isDiskFull } from '../files/error-code.ts';
import { segmentFile } from '../files/file-names.ts';
import type { Folder } from '../files/folder.ts';
import { writeFully } from '../files/write-fully.ts';
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from '../format/segment-header.ts';
import { ActiveIndex } from '../index/active-index.ts';
import type { BatchBuffer } from './batch-buffer.ts';
import { Segment } from './segment.ts';

/**
 * The segment that is written to. A new one's header travels with its first batch; the directory is synced before that
 * batch is acknowledged, since a file whose name is not durable does not survive a crash.
 */
export class ActiveSegment {
  readonly segment: Segment;
  readonly index: ActiveIndex;
  readonly #folder: Folder;
  readonly #failStop: FailStop;
  readonly #file: DiskFile;
  #isNameDurable: boolean;

  constructor(folder: Folder, failStop: FailStop, file: DiskFile, segment: Segment, index: ActiveIndex) {
    this.#folder = folder;
    this.#failStop = failStop;
    this.#file = file;
    this.segment = segment;
    this.index = index;
    this.#isNameDurable = segment.bytes > 0;
  }

  /** Creates an empty file; nothing in it is durable yet. `expected` records are likely to go in. */
  static async create(
    folder: Folder,
    failStop: FailStop,
    header: SegmentHeader,
    expected: number,
  ): Promise<ActiveSegment> {
    const name = segmentFile(header.first, header.id);
    folder.failpoint('journal.segment.create.before');
    const file = await folder.open(name, 'create');
    folder.failpoint('journal.segment.create.after');
    const index = new ActiveIndex(header.idSeed, expected);
    const segment = new Segment(name, header, index, header.first - 1, 0);
    return new ActiveSegment(folder, failStop, file, segment, index);
  }

  /** Where the next record of the batch that is being formed will stand, if nothing was added yet. */
  get nextOffset(): number {
    return Math.max(this.segment.bytes, SEGMENT_HEADER_BYTES);
  }

  /** Puts the header in front of a segment's first batch. */
  beginBatch(buffer: BatchBuffer): void {
    if (this.segment.bytes === 0) encodeSegmentHeader(this.segment.header, buffer.take(SEGMENT_HEADER_BYTES));
  }

  /** Makes a batch durable at the end of the file, or leaves the file as it was and throws `ENOSPC`, or stops the store. */
  async write(batch: Uint8Array): Promise<void> {
    const folder = this.#folder;
    const at = this.segment.bytes;
    folder.failpoint('journal.log.write.before');
    try {
      await writeFully(this.#file, batch, at, folder.runtime);
    } catch (error) {
      if (isDiskFull(error)) await this.#cut(at);
      throw isDiskFull(error) ? error : this.#failStop.stop('writing the log', error);
    }
    folder.failpoint('journal.log.write.after');
    folder.failpoint('journal.log.sync.before');
    await this.#failStop.sync(this.#file, 'syncing the log', folder.runtime);
    folder.failpoint('journal.log.sync.after');
    if (!this.#isNameDurable) await this.#syncName();
    this.segment.bytes = at + batch.length;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #syncName(): Promise<void> {
    this.#folder.failpoint('journal.segment.sync-dir.before');
    try {
      await this.#folder.syncDir();
    } catch (error) {
      throw this.#failStop.stop('syncing the directory', error);
    }
    this.#folder.failpoint('journal.segment.sync-dir.after');
    this.#isNameDurable = true;
  }

  async #cut(length: number): Promise<void> {
    this.#failStop.assertRunning();
    this.#folder.failpoint('journal.log.cut.before');
    try {
      await this.#file.truncate(length);
    } catch (error) {
      throw this.#failStop.stop('cutting back the log', error);
    }
    this.#folder.failpoint('journal.log.cut.after');
  }
}
