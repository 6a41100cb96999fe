/**
 * Reads the log for one page, from a cursor on, for as long as the page is there.
 *
 *     idle ──follow──▶ catching up ──at the end of the log──▶ live
 *       ▲                  ▲  └───────────── close ──────────┘ │
 *       └──────────────────┼───────────────────────────────────┘
 *                          └── follow, from another cursor
 *
 * `catching up`: it waits for `room` wherever there is little, so that the log is the queue. `live`: it waits for nobody. Where the
 * end of the log is, is asked again when it is reached: a page that is slower than the bus catches up for ever, and loses nothing.
 */
import {
  decodeCursor,
  type EventManager,
  type EventManagerError,
  isEventManagerError,
  type StreamedEvent,
  type StreamedGap,
  type StreamReader,
  type Timers,
} from '@event-manager/core';

/** While the store is away. */
const READ_AGAIN_MS = 500;

/** Where the log is read. */
export type PageSource = Pick<EventManager, 'stream'>;

export interface LogFollowerOptions {
  readonly events: PageSource;
  readonly topics: readonly string[];
  readonly timers: Timers;
  readonly take: (frame: StreamedEvent | StreamedGap) => void;
  /** Asked while catching up: what to wait for before the next one. */
  readonly room: () => Promise<void> | undefined;
  /** The log was closed, and not by us. */
  readonly onEnd: () => void;
  readonly onFailure: (error: unknown) => void;
}

export class LogFollower {
  readonly #options: LogFollowerOptions;
  #stream: StreamReader | undefined;
  #goal: string | undefined;

  constructor(options: LogFollowerOptions) {
    this.#options = options;
  }

  /** Up to here everything was looked at; `undefined` while that is behind what was read ahead, or nothing is read. */
  get cursor(): string | undefined {
    return this.#goal === undefined ? this.#stream?.cursor : undefined;
  }

  /** A cursor that nobody made would be sent again by each reconnect: it is told, and the stream begins now. */
  async open(from: string): Promise<{ stream: StreamReader; refused?: EventManagerError }> {
    const { events, topics } = this.#options;
    try {
      return { stream: await events.stream({ topics, from }) };
    } catch (error) {
      if (!isEventManagerError(error, 'invalid_cursor')) throw error;
      return { stream: await events.stream({ topics, from: 'latest' }), refused: error };
    }
  }

  /**
   * In place of what it followed before. One that may be `behind` resolves when it is known whether there is something to catch
   * up with; goes on by itself.
   */
  async follow(stream: StreamReader, isBehind: boolean): Promise<void> {
    this.close();
    this.#stream = stream;
    this.#goal = isBehind ? await this.#endBeyond(stream) : undefined;
    this.#run(stream).catch((error) => {
      if (this.#stream === stream) this.#options.onFailure(error);
    });
  }

  close(): void {
    this.#stream?.close();
    this.#stream = undefined;
    this.#goal = undefined;
  }

  async #run(stream: StreamReader): Promise<void> {
    const { take, room, onEnd } = this.#options;
    while (this.#stream === stream) {
      const frames = await this.#next(stream);
      if (frames.length === 0) {
        if (this.#stream === stream) onEnd();
        return;
      }
      for (const frame of frames) {
        const wait = this.#goal === undefined ? undefined : room();
        if (wait) await wait;
        if (this.#stream !== stream) return;
        take(frame);
      }
      if (this.#goal !== undefined && isReached(stream.cursor, this.#goal)) {
        const goal = await this.#endBeyond(stream);
        if (this.#stream === stream) this.#goal = goal;
      }
    }
  }

  /** The end of the log, where the stream is not there yet. */
  async #endBeyond(stream: StreamReader): Promise<string | undefined> {
    const { events, topics } = this.#options;
    const probe = await events.stream({ topics, from: 'latest' });
    probe.close();
    return isReached(stream.cursor, probe.cursor) ? undefined : probe.cursor;
  }

  async #next(stream: StreamReader): Promise<readonly (StreamedEvent | StreamedGap)[]> {
    for (;;) {
      try {
        return await stream.next();
      } catch (error) {
        // What it looked for is read again, so nothing is passed over while the store is away.
        if (!isEventManagerError(error, 'store_unavailable') || this.#stream !== stream) throw error;
      }
      await new Promise<void>((resolve) => this.#options.timers.after(READ_AGAIN_MS, resolve));
    }
  }
}

function isReached(cursor: string, goal: string): boolean {
  const here = decodeCursor(cursor);
  return decodeCursor(goal).every(
    ({ partition, position }) => (here.find((place) => place.partition === partition)?.position ?? 0) >= position,
  );
}
