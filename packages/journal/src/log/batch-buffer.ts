import type { Appendable } from '@event-manager/core';
import { aligned } from '../format/align.ts';
import { RECORD_HEADER_BYTES, sealRecord, writeRecordFields } from '../format/record.ts';
import { viewOf } from '../format/view-of.ts';

const INITIAL_BYTES = 1 << 20;
/** A larger buffer is given back after its batch, so that one huge batch is not paid for ever after. */
const KEPT_BYTES_MAX = 16 << 20;
const NAME_BYTES_MAX = 0xffff;

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
    const names = namesOf(event);
    // A UTF-16 unit becomes at most three bytes of UTF-8.
    this.#makeRoom(RECORD_HEADER_BYTES + names.length * 3 + event.body.length + 8);
    const at = this.length;
    const view = this.#view;
    let end = at + RECORD_HEADER_BYTES;
    const nameBytes = this.#bytes.write(names, end, 'utf8');
    if (nameBytes === names.length) this.#writeLengths(at, event, (text) => text.length);
    else this.#writeLengths(at, event, (text) => Buffer.byteLength(text));
    end += nameBytes;
    this.#bytes.set(event.body, end);
    end += event.body.length;
    const padded = at + aligned(end - at);
    while (end < padded) this.#bytes[end++] = 0;
    view.setUint32(at + 44, event.body.length, true);
    writeRecordFields(view, at, placement, event.lane, event.flags);
    sealRecord(this.#bytes, view, at, end, placement.seed);
    this.length = end;
    return at;
  }

  #writeLengths(at: number, event: Appendable, bytesOf: (text: string) => number): void {
    const view = this.#view;
    const write = (offset: number, text: string | undefined): void => {
      const bytes = text === undefined ? 0 : bytesOf(text);
      if (bytes > NAME_BYTES_MAX) throw new TypeError('A name of an event is longer than a record can say.');
      view.setUint16(at + offset, bytes, true);
    };
    write(42, event.topic);
    write(48, event.type);
    write(50, event.source);
    write(52, event.correlationId);
    write(54, event.userId);
    write(56, event.projectId);
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

function namesOf({ topic, type, source, correlationId, userId, projectId }: Appendable): string {
  return topic + type + source + (correlationId ?? '') + (userId ?? '') + (projectId ?? '');
}

/** An upper estimate of what an event adds to a segment, good enough to decide when to begin the next one. */
export function estimateRecordBytes(event: Appendable): number {
  return RECORD_HEADER_BYTES + namesOf(event).length + event.body.length + 8;
}
