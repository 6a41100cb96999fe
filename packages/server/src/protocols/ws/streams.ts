import {
  ANONYMOUS,
  EventManagerError,
  type EventStream,
  type RelevanceContextIn,
  type StreamFrame,
} from '@event-manager/core';
import { closeStream, openStream } from '../../operations/open-stream.ts';
import type { OperationContext } from '../../operations/operation-context.ts';
import { type PumpSettings, pumpStream, type StreamWriter } from '../stream-pump.ts';
import type { StreamFrameIn } from './client-frame.ts';
import { framedEvent } from './framed-event.ts';
import type { Outbox } from './outbox.ts';

export interface StreamsOptions {
  readonly context: OperationContext;
  readonly outbox: Outbox;
  readonly pump: PumpSettings;
  /** Of all protocols together. */
  readonly streamsMax: () => number;
  readonly onFailure: (error: unknown) => void;
}

/** The streams of one connection: reads of the log, each with a name that the server gives. */
export class Streams {
  readonly #options: StreamsOptions;
  readonly #named = new Map<string, EventStream>();
  readonly #running = new Set<EventStream>();
  #last = 0;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  get streamsMax(): number {
    return this.#options.streamsMax();
  }

  /**
   * Opens a stream and begins to write it after `told` was called with its name and the cursor that it begins behind. Throws
   * `invalid_pattern`, `invalid_filter`, `invalid_context`, `invalid_cursor`, `overloaded`.
   */
  async open(
    { topics, filter, from, subscriber, context: own }: StreamFrameIn,
    told: (name: string, cursor: string) => void,
  ): Promise<void> {
    const { context, outbox } = this.#options;
    const relevance = { subscriber, context: own as RelevanceContextIn | undefined };
    const wanted = { topics, filter, from, ...relevance, streamsMax: this.streamsMax };
    const stream = await openStream(context, ANONYMOUS, wanted);
    const name = `s${++this.#last}`;
    if (outbox.isClosed) {
      closeStream(context, stream);
      return;
    }
    this.#named.set(name, stream);
    told(name, stream.cursor);
    this.run(stream, streamWriter(name, outbox));
  }

  /** Writes a stream out until it ends. */
  run(stream: EventStream, writer: StreamWriter): void {
    const { context, pump, onFailure } = this.#options;
    this.#running.add(stream);
    pumpStream(stream, writer, pump)
      .catch(onFailure)
      .finally(() => {
        this.#running.delete(stream);
        closeStream(context, stream);
      });
  }

  /** Throws `invalid_request` for a name that no open stream has. */
  close(name: string): void {
    const stream = this.#named.get(name);
    if (!stream) throw new EventManagerError('invalid_request', 'No such stream is open.', { pointer: '/stream' });
    this.#named.delete(name);
    stream.close();
  }

  closeAll(): void {
    for (const stream of this.#running) stream.close();
  }
}

function streamWriter(name: string, outbox: Outbox): StreamWriter {
  return {
    get isClosed() {
      return outbox.isClosed;
    },
    get isFull() {
      return outbox.isFull;
    },
    write(frames) {
      for (const frame of frames) outbox.send(streamFrame(name, frame));
    },
    beat(cursor) {
      outbox.send(`{"type":"cursor","stream":"${name}","cursor":"${cursor}"}`);
    },
    drained: () => outbox.drained(),
  };
}

/** One frame of a stream as the client gets it. */
export function streamFrame(name: string, frame: StreamFrame): string | Uint8Array {
  const { cursor } = frame;
  if (frame.kind === 'gap') {
    return `{"type":"gap","stream":"${name}","cursor":"${cursor}","cause":"${frame.cause}"}`;
  }
  const before = `{"type":"event","stream":"${name}","cursor":"${cursor}","event":`;
  return framedEvent(before, frame.record.body, '}');
}
