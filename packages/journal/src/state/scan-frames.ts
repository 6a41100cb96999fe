import type { DiskFile } from '@event-manager/core';
import { readBytes } from '../files/read-fully.ts';
import type { SegmentId } from '../format/segment-id.ts';
import { segmentSeed } from '../format/segment-id.ts';
import {
  decodeFrame,
  FRAME_HEADER_BYTES,
  frameBytesAt,
  STATE_HEADER_BYTES,
  type StateFrame,
} from '../format/state-frame.ts';

/** A frame that verifies, or a stretch of bytes in which none can be found. */
export type FrameStep =
  | { readonly frame: StateFrame; readonly at: number }
  | { readonly gap: { readonly from: number; readonly to: number } };

const WINDOW_BYTES = 1 << 20;

/** Walks the frames of a state log or snapshot from an offset on, with no more of it in memory than the largest frame needs. */
export async function* scanFrames(
  file: DiskFile,
  id: SegmentId,
  from: number = STATE_HEADER_BYTES,
): AsyncGenerator<FrameStep> {
  const window = new Window(file, segmentSeed(id), await file.size());
  for (let at = from; at < window.size; ) {
    const frame = await window.frameAt(at);
    if (frame !== undefined) {
      yield { frame, at };
      at += frame.bytes;
      continue;
    }
    const gapFrom = at;
    for (at += 8; at < window.size && (await window.frameAt(at)) === undefined; ) at += 8;
    at = Math.min(at, window.size);
    yield { gap: { from: gapFrom, to: at } };
  }
}

/** The part of a file that is being looked at. */
class Window {
  readonly size: number;
  readonly #file: DiskFile;
  readonly #seed: number;
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(file: DiskFile, seed: number, size: number) {
    this.#file = file;
    this.#seed = seed;
    this.size = size;
  }

  frameAt(at: number): StateFrame | undefined | Promise<StateFrame | undefined> {
    if (!this.#holds(at, FRAME_HEADER_BYTES)) return this.#load(at, WINDOW_BYTES).then(() => this.#decode(at));
    return this.#decode(at);
  }

  #decode(at: number): StateFrame | undefined | Promise<StateFrame | undefined> {
    const bytes = frameBytesAt(this.#bytes, at - this.#start, this.#seed);
    if (bytes === undefined || at + bytes > this.size) return undefined;
    if (this.#holds(at, bytes)) return decodeFrame(this.#bytes, at - this.#start, this.#seed);
    return this.#load(at, Math.max(bytes, WINDOW_BYTES)).then(() => decodeFrame(this.#bytes, 0, this.#seed));
  }

  #holds(at: number, count: number): boolean {
    const end = Math.min(at + count, this.size);
    return at >= this.#start && end <= this.#start + this.#bytes.length;
  }

  async #load(at: number, count: number): Promise<void> {
    this.#bytes = await readBytes(this.#file, at, Math.min(count, this.size - at));
    this.#start = at;
  }
}
