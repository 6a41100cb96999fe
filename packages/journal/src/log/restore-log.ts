import type { Position, Restored, UnusedPositions } from '@event-manager/core';
import { type Missing, recordLost } from '../damage.ts';
import { isDiskFull } from '../files/error-code.ts';
import { parseEventIdWords } from '../format/event-id-words.ts';
import type { AppendLogParts } from './append-log.ts';
import { addToSegment } from './batch.ts';
import { BatchBuffer, estimateRecordBytes } from './batch-buffer.ts';
import { SEGMENT_SPAN_MS_MAX } from './segment.ts';

/**
 * Writes events at the positions and times that another store gave them, into a log that nobody appends to meanwhile. A
 * position that is passed over is put on record as lost before anything is written behind it. When a write fails the whole
 * copy is worth nothing, so nothing is cut back.
 */
export class RestoreLog {
  readonly #parts: AppendLogParts;
  readonly #buffer = new BatchBuffer();

  constructor(parts: AppendLogParts) {
    this.#parts = parts;
  }

  async write(events: readonly Restored[]): Promise<void> {
    const { core, fullDisk } = this.#parts;
    for (const part of partsOf(events)) {
      core.failStop.assertRunning();
      fullDisk.assertRoom();
      try {
        await this.#writePart(part);
      } catch (error) {
        if (!isDiskFull(error)) throw error;
        fullDisk.enter();
        throw fullDisk.refusal();
      }
    }
  }

  /** No event was ever given these positions; what lies before them was lost. */
  async skip({ from, through }: UnusedPositions): Promise<void> {
    await this.#passOver(from - 1);
    await this.#passOver(through, { isUnused: true });
  }

  /** Everything up to `head` that was not written was lost. Resolves when the witness says how far the log reaches. */
  async end(head: Position): Promise<void> {
    await this.#passOver(head);
    await this.#parts.witness.write({ position: this.#parts.core.head });
  }

  async #writePart(events: readonly Restored[]): Promise<void> {
    const { core, known, witness, activeFor } = this.#parts;
    await this.#passOver(events[0]!.position - 1);
    const bytes = events.reduce((sum, event) => sum + estimateRecordBytes(event), 0);
    const active = await activeFor(bytes, events.at(-1)!.recordedAtMs);
    this.#buffer.clear();
    const start = active.nextOffset;
    active.beginBatch(this.#buffer);
    const shift = this.#buffer.length - start;
    const { seed, bytes: durableMark } = active.segment;
    const ids = new Uint32Array(4);
    for (const event of events) {
      parseEventIdWords(event.id, ids, 0);
      const { position, recordedAtMs } = event;
      const placement = { position, recordedAtMs, ids, idAt: 0, durableMark, seed };
      addToSegment(active, this.#buffer, event, placement, known.hash(ids, 0), shift);
    }
    await active.write(this.#buffer.bytes);
    core.head = active.segment.last = events.at(-1)!.position;
    witness.note({ segmentId: active.segment.header.id, segmentBytes: active.segment.bytes, position: core.head });
    known.releaseSealed();
  }

  async #passOver(through: Position, as: Pick<Missing, 'isUnused'> = {}): Promise<void> {
    const { core } = this.#parts;
    if (through < core.head) throw new TypeError(`Position ${through + 1} is not behind ${core.head}.`);
    if (through === core.head) return;
    core.damage.accept(await recordLost(core.folder, [{ from: core.head + 1, through, ...as }]));
    core.head = through;
  }
}

/** Runs without a hole, each short enough for one segment. */
function partsOf(events: readonly Restored[]): Restored[][] {
  const parts: Restored[][] = [];
  for (const event of events) {
    const part = parts.at(-1);
    const isNext = part?.at(-1)?.position === event.position - 1;
    const fits = part !== undefined && event.recordedAtMs - part[0]!.recordedAtMs < SEGMENT_SPAN_MS_MAX;
    if (isNext && fits) part.push(event);
    else parts.push([event]);
  }
  return parts;
}
