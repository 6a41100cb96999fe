import { type EventStream, isEventManagerError, type StreamFrame, type Timers, type Turns } from '@event-manager/core';

/** The way out of a stream, whatever the protocol. */
export interface StreamWriter {
  /** The reader is gone: nothing more can be written. */
  readonly isClosed: boolean;
  /** The reader has not taken what it was handed; until it has, nothing more is handed. */
  readonly isFull: boolean;
  /** Hands over frames together. */
  write(frames: readonly StreamFrame[]): void;
  /** Nothing was written for a heartbeat: moves the cursor of the reader. */
  beat(cursor: string): void;
  /** Resolves with true when the reader took what it was handed, with false when it went away or was given up. */
  drained(): Promise<boolean>;
}

export interface PumpSettings {
  readonly timers: Timers;
  readonly heartbeatMs: number;
  /** Shared by all streams: the kernel takes megabytes at once, which nobody else should have to wait for. */
  readonly turns: Turns;
}

/** So much is handed over before anybody looks whether the reader takes it. */
export const BUFFERED_BYTES_MAX = 64 * 1024;
/** While the store is away. */
const READ_AGAIN_MS = 500;

/**
 * Writes a stream out, as fast as its reader takes it. Nothing is queued for a slow reader beyond what its socket buffers:
 * the log is the queue. Resolves with `ended` when the stream was closed, with `gone` when the reader was.
 */
export async function pumpStream(
  stream: EventStream,
  writer: StreamWriter,
  settings: PumpSettings,
): Promise<'ended' | 'gone'> {
  for (;;) {
    const frames = await nextFrames(stream, writer, settings);
    if (writer.isClosed) return 'gone';
    if (frames.length === 0) return 'ended';
    if (!(await writeFrames(frames, writer, settings.turns))) return 'gone';
  }
}

/** Waits for the next frames, and beats meanwhile. */
async function nextFrames(
  stream: EventStream,
  writer: StreamWriter,
  { timers, heartbeatMs }: PumpSettings,
): Promise<readonly StreamFrame[]> {
  const beat = () => {
    // While something is on its way the connection is not silent; whether anybody takes it is judged elsewhere.
    if (!writer.isFull && !writer.isClosed) writer.beat(stream.cursor);
    cancel = timers.after(heartbeatMs, beat);
  };
  let cancel = timers.after(heartbeatMs, beat);
  try {
    for (;;) {
      try {
        return await stream.next();
      } catch (error) {
        // What it looked for is read again, so nothing is passed over while the store is away.
        if (!isEventManagerError(error, 'store_unavailable') || writer.isClosed) throw error;
      }
      await new Promise<void>((resolve) => timers.after(READ_AGAIN_MS, resolve));
    }
  } finally {
    cancel();
  }
}

/** False when the reader took nothing for too long or went away. */
async function writeFrames(frames: readonly StreamFrame[], writer: StreamWriter, turns: Turns): Promise<boolean> {
  for (let start = 0; start < frames.length; ) {
    const { end, bytes } = nextPart(frames, start);
    const part = frames.slice(start, end);
    await turns.run(() => writer.write(part), bytes);
    if (writer.isClosed) return false;
    if (writer.isFull && !(await writer.drained())) return false;
    start = end;
  }
  return true;
}

/** So many frames as should be handed over at once, at least one. */
function nextPart(frames: readonly StreamFrame[], start: number): { end: number; bytes: number } {
  let bytes = 0;
  let end = start;
  while (end < frames.length && bytes < BUFFERED_BYTES_MAX) {
    const frame = frames[end++]!;
    if (frame.kind === 'event') bytes += frame.record.body.length;
  }
  return { end, bytes };
}
