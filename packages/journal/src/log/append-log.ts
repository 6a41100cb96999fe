import { type Appendable, type Appended, EventManagerError, isEventManagerError } from '@event-manager/core';
import { isDiskFull } from '../files/error-code.ts';
import { parseEventIdWords } from '../format/event-id-words.ts';
import type { Witness } from '../witness.ts';
import type { ActiveSegment } from './active-segment.ts';
import { Batch, type Call } from './batch.ts';
import { BatchBuffer } from './batch-buffer.ts';
import type { FullDisk } from './full-disk.ts';
import type { KnownIds } from './known-ids.ts';
import type { LogCore } from './log-core.ts';

/*
 * Group commit. Calls wait in a queue; one loop takes all that wait as a batch, writes it with one write, syncs once and
 * answers. While it syncs the next batch gathers, so the batch grows by itself when the disk is slow and a single call on
 * an idle store is written at once.
 *
 *   idle → (a call) → forming → writing → syncing → acknowledging → forming | idle
 *
 * Invariants: only the loop moves the end of the log. Nothing is answered before the sync of its batch, and that holds for
 * `duplicate` too, since the original may be in the same batch. A batch that met a full disk is cut off the file and out of
 * the index as if it had never been; any other failure of write, cut or sync stops the store.
 */

/** A batch is closed at this size: its calls should not wait for megabytes of others. */
const BATCH_BYTES_MAX = 8 << 20;

export interface AppendLogParts {
  readonly core: LogCore;
  readonly known: KnownIds;
  readonly witness: Witness;
  readonly fullDisk: FullDisk;
  /** The segment to write to, a new one if the present one has no room for so many bytes. */
  readonly activeFor: (bytes: number) => Promise<ActiveSegment>;
  /** Recorded-at of the newest record. */
  readonly lastRecordedAtMs: number;
}

export class AppendLog {
  readonly #parts: AppendLogParts;
  readonly #buffer = new BatchBuffer();
  #waiting: Call[] = [];
  #tasks: (() => Promise<void>)[] = [];
  #running: Promise<void> | undefined;
  #lastRecordedAtMs: number;
  #isClosed = false;

  constructor(parts: AppendLogParts) {
    this.#parts = parts;
    this.#lastRecordedAtMs = parts.lastRecordedAtMs;
  }

  append(events: readonly Appendable[]): Promise<readonly Appended[]> {
    return new Promise((resolve, reject) => {
      this.#assertTaking();
      if (events.length === 0) return resolve([]);
      const ids = new Uint32Array(events.length * 4);
      for (let index = 0; index < events.length; index++) parseEventIdWords(events[index]!.id, ids, index * 4);
      this.#waiting.push({ events, ids, resolve, reject });
      // Calls of the same turn of the event loop join the first batch.
      this.#running ??= Promise.resolve().then(() => this.#run());
    });
  }

  /** Runs work between two batches, when the end of the log does not move and no known id is being looked up. */
  betweenBatches<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#tasks.push(() => work().then(resolve, reject));
      this.#running ??= Promise.resolve().then(() => this.#run());
    });
  }

  /** Refuses new calls and resolves when those that wait are answered. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  #assertTaking(): void {
    const { core, fullDisk } = this.#parts;
    if (this.#isClosed) throw new EventManagerError('closed', 'The journal is closed.');
    core.failStop.assertRunning();
    if (core.damage.any) throw readOnly();
    fullDisk.assertRoom();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 || this.#tasks.length > 0) {
      for (const task of this.#tasks.splice(0)) await task();
      if (this.#waiting.length === 0) continue;
      const calls = this.#takeCalls();
      try {
        await this.#commit(calls);
      } catch (error) {
        const refusal = this.#refusalFor(error);
        for (const call of calls) call.reject(refusal);
      }
    }
    this.#running = undefined;
  }

  #refusalFor(error: unknown): unknown {
    const { core, fullDisk } = this.#parts;
    if (isEventManagerError(error, 'corrupt_record')) return readOnly();
    if (isEventManagerError(error)) return error;
    if (!isDiskFull(error)) return core.failStop.stop('appending', error);
    fullDisk.enter();
    return fullDisk.refusal();
  }

  #takeCalls(): Call[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && bytes < BATCH_BYTES_MAX) {
      for (const { body } of this.#waiting[count]!.events) bytes += body.length;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #commit(calls: readonly Call[]): Promise<void> {
    const { core, known, witness } = this.#parts;
    core.failStop.assertRunning();
    if (core.damage.any) throw readOnly();
    this.#parts.fullDisk.assertRoom();
    known.releaseSealed();
    const batch = new Batch(core, known, calls);
    await batch.findSealed();
    const active = await this.#parts.activeFor(batch.estimatedBytes);
    this.#buffer.clear();
    const recordedAtMs = Math.max(this.#lastRecordedAtMs, Math.floor(core.folder.runtime.clock.wallMs()));
    const cut = active.index.count;
    try {
      batch.encode(active, this.#buffer, recordedAtMs);
      const answers = await batch.compareDuplicates(this.#buffer);
      if (batch.storedCount > 0) {
        if (core.folder.runtime.planted.has('acknowledge-before-sync')) this.#answer(calls, answers);
        await active.write(this.#buffer.bytes);
        core.failStop.assertRunning();
        this.#lastRecordedAtMs = recordedAtMs;
        core.head = active.segment.last = batch.lastPosition;
        witness.note({ segmentId: active.segment.header.id, segmentBytes: active.segment.bytes, position: core.head });
      }
      core.folder.failpoint('journal.log.acknowledge.before');
      core.failStop.assertRunning();
      this.#answer(calls, answers);
      core.folder.failpoint('journal.log.acknowledge.after');
    } catch (error) {
      if (core.head < batch.lastPosition) active.index.cutTo(cut);
      throw error;
    }
  }

  #answer(calls: readonly Call[], answers: readonly (readonly Appended[])[]): void {
    for (let index = 0; index < calls.length; index++) calls[index]!.resolve(answers[index]!);
  }
}

/** What a store with damage answers to everything that would change it. */
export function readOnly(): EventManagerError {
  return new EventManagerError(
    'store_read_only',
    'Damage was found; the journal serves reads only until it is repaired.',
  );
}
