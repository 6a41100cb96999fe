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
import type { ServerResponse } from 'node:http';
import type { Chance, EventStream, StreamFrame, Timers, Turns } from '@event-manager/core';

export const SSE_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  // Proxies that buffer answers would hold events back.
  'x-accel-buffering': 'no',
} as const;

/** How long a browser waits before it comes back: not the same for all, or a restart would meet them all at once. */
const RETRY_MS_MIN = 1_000;
const RETRY_MS_SPREAD = 2_000;

/** So much is handed to the socket before anybody looks whether the reader takes it. */
const BUFFERED_BYTES_MAX = 64 * 1024;

export interface SseSettings {
  readonly timers: Timers;
  readonly chance: Chance;
  readonly heartbeatMs: number;
  readonly stallMs: number;
  /** Shared by all streams: the kernel takes megabytes at once, which nobody else should have to wait for. */
  readonly turns: Turns;
}

/** Resolves when the stream was closed, the client went away or was cut. */
export async function sendStream(stream: EventStream, response: ServerResponse, settings: SseSettings): Promise<void> {
  // It may have gone while the stream was being opened: nobody would say so again.
  if (response.destroyed) return;
  response.on('close', () => stream.close());
  response.writeHead(200, SSE_HEADERS);
  const retry = `retry: ${Math.round(RETRY_MS_MIN + settings.chance.fraction() * RETRY_MS_SPREAD)}`;
  response.write(`${retry}\nid: ${stream.cursor}\n\n`);
  for (;;) {
    const frames = await nextFrames(stream, response, settings);
    if (response.destroyed) return;
    if (frames.length === 0) {
      response.end(`${retry}\n\n`);
      return;
    }
    if (!(await writeFrames(frames, response, settings))) {
      response.destroy();
      return;
    }
  }
}

/** Waits for the next frames and keeps the connection alive meanwhile. */
async function nextFrames(
  stream: EventStream,
  response: ServerResponse,
  { timers, heartbeatMs }: SseSettings,
): Promise<readonly StreamFrame[]> {
  const beat = () => {
    // While something is on its way the connection is not silent; whether anybody takes it the socket's own timeout judges.
    if (response.socket?.writableNeedDrain === false) response.write(`: heartbeat\nid: ${stream.cursor}\n\n`);
    cancel = timers.after(heartbeatMs, beat);
  };
  let cancel = timers.after(heartbeatMs, beat);
  try {
    return await stream.next();
  } finally {
    cancel();
  }
}

/** False when the reader took nothing for too long or went away. */
async function writeFrames(
  frames: readonly StreamFrame[],
  response: ServerResponse,
  settings: SseSettings,
): Promise<boolean> {
  for (let start = 0; start < frames.length; ) {
    const { end, bytes } = nextPart(frames, start);
    const part = frames.slice(start, end);
    await settings.turns.run(() => writePart(part, response), bytes);
    if (response.destroyed) return false;
    const isFull = response.writableLength >= BUFFERED_BYTES_MAX && response.socket?.writableNeedDrain !== false;
    if (isFull && !(await drained(response, settings))) return false;
    start = end;
  }
  return true;
}

/** So many frames as the socket should hold, at least one. */
function nextPart(frames: readonly StreamFrame[], start: number): { end: number; bytes: number } {
  let bytes = 0;
  let end = start;
  while (end < frames.length && bytes < BUFFERED_BYTES_MAX) {
    const frame = frames[end++]!;
    if (frame.kind === 'event') bytes += frame.record.body.length;
  }
  return { end, bytes };
}

/** Frames that are written together share one system call. */
function writePart(frames: readonly StreamFrame[], response: ServerResponse): void {
  response.cork();
  for (const frame of frames) writeFrame(frame, response);
  response.uncork();
}

function writeFrame(frame: StreamFrame, response: ServerResponse): void {
  if (frame.kind === 'gap') {
    response.write(`id: ${frame.cursor}\nevent: gap\ndata: ${JSON.stringify({ cause: frame.cause })}\n\n`);
    return;
  }
  response.write(`id: ${frame.cursor}\nevent: event\ndata: `);
  // JSON.stringify writes no line breaks, so the stored bytes are one line.
  response.write(frame.record.body);
  response.write('\n\n');
}

function drained(response: ServerResponse, { timers, stallMs }: SseSettings): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isDrained: boolean) => {
      cancel();
      response.socket?.off('drain', onDrain);
      response.off('close', onClose);
      resolve(isDrained);
    };
    const onDrain = () => end(true);
    const onClose = () => end(false);
    const cancel = timers.after(stallMs, onClose);
    response.socket?.once('drain', onDrain);
    response.once('close', onClose);
    if (response.destroyed) onClose();
  });
}
