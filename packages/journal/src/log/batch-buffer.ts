import type { Appendable } from '@event-manager/core';
import { aligned } from '../format/align.ts';
import { RECORD_HEADER_BYTES, sealRecord, writeRecordFields } from '../format/record.ts';
import { viewOf } from '../format/view-of.ts';

const INITIAL_BYTES = 1 << 20;
/** A larger buffer is given back after its batch, so that one huge batch is not paid for ever after. */
const KEPT_BYTES_MAX = 16 << 20;
const NAME_BYTES_MAX = 0xffff;
const ASCII_MAX = 0x7f;

/** Where a record stands and what it holds besides the event. */
export interface RecordPlacement {
  readonly position: number;
  readonly recordedAtMs: number;
  readonly ids: Uint32Array;
  readonly idAt: number;
  readonly durableMark: number;
  readonly seed: number;
}

/** The bytes of the batch that is being formed: one growing buffer, used again and again, written with one call. */
export class BatchBuffer {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #view = viewOf(this.#bytes);
  length = 0;

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#reallocate(INITIAL_BYTES);
  }

  /** Appends `count` zero bytes for the caller to fill in. */
  take(count: number): Buffer {
    this.#makeRoom(count);
    const from = this.length;
    this.length += count;
    return this.#bytes.subarray(from, this.length).fill(0);
  }

  /** Appends one record and returns where it begins. */
  addRecord(event: Appendable, placement: RecordPlacement): number {
    const { body } = event;
    // A UTF-16 unit becomes at most three bytes of UTF-8.
    this.#makeRoom(RECORD_HEADER_BYTES + namesLength(event) * 3 + body.length + 8);
    const at = this.length;
    const view = this.#view;
    let end = at + RECORD_HEADER_BYTES;
    end = this.#writeName(event.topic, at + 42, end);
    end = this.#writeName(event.type, at + 48, end);
    end = this.#writeName(event.source, at + 50, end);
    end = this.#writeName(event.correlationId, at + 52, end);
    end = this.#writeName(event.userId, at + 54, end);
    end = this.#writeName(event.projectId, at + 56, end);
    this.#bytes.set(body, end);
    end += body.length;
    const padded = at + aligned(end - at);
    while (end < padded) this.#bytes[end++] = 0;
    view.setUint32(at + 44, body.length, true);
    writeRecordFields(view, at, placement, event.lane, event.flags);
    sealRecord(this.#bytes, view, at, end, placement.seed);
    this.length = end;
    return at;
  }

  /** Writes a name at `from` and its length at `lengthAt`; returns where it ends. Names are short: a loop beats a native call. */
  #writeName(name: string | undefined, lengthAt: number, from: number): number {
    const bytes = this.#bytes;
    const characters = name === undefined ? 0 : name.length;
    let end = from;
    for (let index = 0; index < characters; index++) {
      const code = name!.charCodeAt(index);
      if (code > ASCII_MAX) {
        end = from + bytes.write(name!, from, 'utf8');
        break;
      }
      bytes[end++] = code;
    }
    if (end - from > NAME_BYTES_MAX) throw new TypeError('A name of an event is longer than a record can say.');
    this.#view.setUint16(lengthAt, end - from, true);
    return end;
  }

  #makeRoom(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    this.#reallocate(Math.max(this.#bytes.length * 2, this.length + count));
  }

  #reallocate(capacity: number): void {
    const larger = Buffer.allocUnsafeSlow(capacity);
    this.#bytes.copy(larger, 0, 0, this.length);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }
}

function namesLength({ topic, type, source, correlationId, userId, projectId }: Appendable): number {
  const optional = (correlationId?.length ?? 0) + (userId?.length ?? 0) + (projectId?.length ?? 0);
  return topic.length + type.length + source.length + optional;
}

/** An upper estimate of what an event adds to a segment, good enough to decide when to begin the next one. */
export function estimateRecordBytes(event: Appendable): number {
  return RECORD_HEADER_BYTES + namesLength(event) + event.body.length + 8;
}
