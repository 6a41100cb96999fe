/**
 * Server-sent events (HTML, section 9.2) over one response.
 *
 *     writing ──buffer full──▶ waiting for the reader ──drained──▶ writing
 *        │                         └──nothing taken for stallMs──▶ cut
 *        └──nothing to send──▶ idle ──heartbeat──▶ idle
 *
 * Nothing is queued for a slow reader beyond what the socket buffers (twice its mark and one event): the log is the queue, and the
 * stream reads on from where the reader is. What was written carries its cursor as `id`, so a reader that was cut, or whose
 * connection broke anywhere, names its last `id` and misses nothing. An `id` without data moves that cursor and dispatches
 * nothing: it is sent at the start and with each heartbeat, so that a stream whose filter rarely matches does not begin far
 * behind.
 */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Chance, EventStream, StreamFrame, Timers } from '@event-manager/core';
import { BUFFERED_BYTES_MAX, type PumpSettings, pumpStream, type StreamWriter } from '../stream-pump.ts';

export const SSE_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  // Proxies that buffer answers would hold events back.
  'x-accel-buffering': 'no',
} as const;

/** How long a browser waits before it comes back: not the same for all, or a restart would meet them all at once. */
const RETRY_MS_MIN = 1_000;
const RETRY_MS_SPREAD = 2_000;

export interface SseSettings extends PumpSettings {
  readonly chance: Chance;
  readonly stallMs: number;
}

/** Resolves when the stream was closed, the client went away or was cut. `headers` are sent besides its own. */
export async function sendStream(
  stream: EventStream,
  response: ServerResponse,
  settings: SseSettings,
  headers: OutgoingHttpHeaders = {},
): Promise<void> {
  // It may have gone while the stream was being opened: nobody would say so again.
  if (response.destroyed) return;
  response.on('close', () => stream.close());
  response.writeHead(200, { ...headers, ...SSE_HEADERS });
  const retry = `retry: ${Math.round(RETRY_MS_MIN + settings.chance.fraction() * RETRY_MS_SPREAD)}`;
  response.write(`${retry}\nid: ${stream.cursor}\n\n`);
  const end = await pumpStream(stream, new SseWriter(response, settings), settings);
  if (response.destroyed) return;
  if (end === 'ended') response.end(`${retry}\n\n`);
  else response.destroy();
}

class SseWriter implements StreamWriter {
  readonly #response: ServerResponse;
  readonly #timers: Timers;
  readonly #stallMs: number;

  constructor(response: ServerResponse, { timers, stallMs }: SseSettings) {
    this.#response = response;
    this.#timers = timers;
    this.#stallMs = stallMs;
  }

  get isClosed(): boolean {
    return this.#response.destroyed;
  }

  get isFull(): boolean {
    const { writableLength, socket } = this.#response;
    return writableLength >= BUFFERED_BYTES_MAX && socket?.writableNeedDrain !== false;
  }

  /** Frames that are written together share one system call. */
  write(frames: readonly StreamFrame[]): void {
    this.#response.cork();
    for (const frame of frames) this.#writeFrame(frame);
    this.#response.uncork();
  }

  beat(cursor: string): void {
    // Whether anybody takes what is on its way the socket's own timeout judges.
    if (this.#response.socket?.writableNeedDrain === false) this.#response.write(`: heartbeat\nid: ${cursor}\n\n`);
  }

  drained(): Promise<boolean> {
    const response = this.#response;
    return new Promise((resolve) => {
      const end = (isDrained: boolean) => {
        cancel();
        response.socket?.off('drain', onDrain);
        response.off('close', onClose);
        resolve(isDrained);
      };
      const onDrain = () => end(true);
      const onClose = () => end(false);
      const cancel = this.#timers.after(this.#stallMs, onClose);
      response.socket?.once('drain', onDrain);
      response.once('close', onClose);
      if (response.destroyed) onClose();
    });
  }

  #writeFrame(frame: StreamFrame): void {
    const response = this.#response;
    if (frame.kind === 'gap') {
      response.write(`id: ${frame.cursor}\nevent: gap\ndata: ${JSON.stringify({ cause: frame.cause })}\n\n`);
      return;
    }
    response.write(`id: ${frame.cursor}\nevent: event\ndata: `);
    // JSON.stringify writes no line breaks, so the stored bytes are one line.
    response.write(frame.record.body);
    response.write('\n\n');
  }
}
