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
 * the index as if it had never been; any other failure of write, cut or sync stops the store. A large call waits as several
 * parts, one behind the other, and is answered when the last is durable; after a refused part none of its later ones is stored.
 */

/**
 * A batch is closed at this size: its calls should not wait for megabytes of others, and what one write adds to a segment
 * must stay far below what an offset can say. A call that is larger becomes several batches.
 */
const BATCH_BYTES_MAX = 8 << 20;

export interface AppendLogParts {
  readonly core: LogCore;
  readonly known: KnownIds;
  readonly witness: Witness;
  readonly fullDisk: FullDisk;
  /** The segment to write to, a new one if the present one has no room for so many bytes recorded by `atMs`, now when absent. */
  readonly activeFor: (bytes: number, atMs?: number) => Promise<ActiveSegment>;
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

  async append(events: readonly Appendable[]): Promise<readonly Appended[]> {
    this.#assertTaking();
    const answers: Promise<readonly Appended[]>[] = [];
    const calls: Call[] = [];
    for (const part of partsOf(events)) {
      const ids = new Uint32Array(part.length * 4);
      const idHashes = new Uint32Array(part.length);
      for (let index = 0; index < part.length; index++) {
        parseEventIdWords(part[index]!.id, ids, index * 4);
        idHashes[index] = this.#parts.known.hash(ids, index * 4);
      }
      const { promise, resolve, reject } = Promise.withResolvers<readonly Appended[]>();
      calls.push({ events: part, ids, idHashes, follows: calls.at(-1), refusal: undefined, resolve, reject });
      answers.push(promise);
    }
    this.#waiting.push(...calls);
    // Calls of the same turn of the event loop join the first batch.
    if (answers.length > 0) this.#running ??= Promise.resolve().then(() => this.#run());
    return answers.length === 1 ? answers[0]! : (await Promise.all(answers)).flat();
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
      const calls = this.#takeCalls().filter((call) => !refusedBefore(call));
      try {
        if (calls.length > 0) await this.#commit(calls);
      } catch (error) {
        const refusal = this.#refusalFor(error);
        for (const call of calls) refuse(call, refusal);
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

function refuse(call: Call, refusal: unknown): void {
  call.refusal = refusal;
  call.reject(refusal);
}

/** True when an earlier part of the same call was refused; then this one is refused as well. */
function refusedBefore(call: Call): boolean {
  const refusal = call.follows?.refusal;
  if (refusal !== undefined) refuse(call, refusal);
  return refusal !== undefined;
}

/** The events of a call in parts that a batch can hold; nearly always one. */
function partsOf(events: readonly Appendable[]): (readonly Appendable[])[] {
  const parts: (readonly Appendable[])[] = [];
  let from = 0;
  let bytes = 0;
  for (let index = 0; index < events.length; index++) {
    bytes += events[index]!.body.length;
    if (bytes < BATCH_BYTES_MAX) continue;
    parts.push(events.slice(from, index + 1));
    from = index + 1;
    bytes = 0;
  }
  if (from === 0) return events.length === 0 ? [] : [events];
  if (from < events.length) parts.push(events.slice(from));
  return parts;
}

/** What a store with damage answers to everything that would change it. */
export function readOnly(): EventManagerError {
  return new EventManagerError(
    'store_read_only',
    'Damage was found; the journal serves reads only until it is repaired.',
  );
}
