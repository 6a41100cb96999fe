import {
  ANONYMOUS,
  compileFilter,
  type Event,
  EventManagerError,
  type EventStream,
  parseFilter,
  parsePattern,
} from '@event-manager/core';
import { closeStream, openStream } from '../../operations/open-stream.ts';
import type { OperationContext } from '../../operations/operation-context.ts';
import type { Outbox } from './outbox.ts';
import { type Streams, streamFrame } from './streams.ts';

/** The name of the one stream that this form has. */
const NAME = 'types';
/** As many as a filter may list. */
const TYPES_MAX = 1_000;

export interface EventTypesOptions {
  readonly context: OperationContext;
  readonly outbox: Outbox;
  readonly streams: Streams;
}

/**
 * The plain form for live pages: a set of event types, and every event of one of them from now on. Changes of the set come one
 * after the other, and the stream goes on meanwhile, so that a change neither repeats nor skips anything.
 */
export class EventTypes {
  readonly #options: EventTypesOptions;
  #types: readonly string[] = [];
  #matches: (event: Event) => boolean = () => false;
  #stream: EventStream | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: EventTypesOptions) {
    this.#options = options;
  }

  /** Resolves with all types wanted now. Throws `invalid_filter`, `overloaded`. */
  add(types: readonly string[]): Promise<readonly string[]> {
    return this.#change(() => [...new Set([...this.#types, ...types])]);
  }

  remove(types: readonly string[]): Promise<readonly string[]> {
    const unwanted = new Set(types);
    return this.#change(() => this.#types.filter((type) => !unwanted.has(type)));
  }

  #change(change: () => readonly string[]): Promise<readonly string[]> {
    const mine = this.#turn.then(() => this.#want(change()));
    this.#turn = mine.catch(() => {});
    return mine;
  }

  async #want(types: readonly string[]): Promise<readonly string[]> {
    const { limits } = this.#options.context.engine;
    if (types.length > TYPES_MAX) {
      const words = `A connection wants at most ${TYPES_MAX} event types.`;
      throw new EventManagerError('invalid_filter', words, { pointer: '/eventTypes', limit: TYPES_MAX });
    }
    for (const [index, type] of types.entries()) parsePattern(type, limits, `/eventTypes/${index}`);
    const matches = types.length === 0 ? () => false : compileFilter(parseFilter({ types }, limits, ''));
    if (types.length > 0 && !this.#stream) await this.#open();
    this.#types = types;
    this.#matches = matches;
    if (types.length === 0) {
      this.#stream?.close();
      this.#stream = undefined;
    }
    return types;
  }

  async #open(): Promise<void> {
    const { context, outbox, streams } = this.#options;
    const stream = await openStream(context, ANONYMOUS, { from: 'latest', streamsMax: streams.streamsMax });
    if (outbox.isClosed) {
      closeStream(context, stream);
      return;
    }
    this.#stream = stream;
    streams.run(stream, {
      get isClosed() {
        return outbox.isClosed;
      },
      get isFull() {
        return outbox.isFull;
      },
      write: (frames) => {
        for (const frame of frames) {
          if (frame.kind === 'gap' || this.#matches(frame.event)) outbox.send(streamFrame(NAME, frame));
        }
      },
      // Whoever speaks this form keeps no cursor.
      beat: () => {},
      drained: () => outbox.drained(),
    });
  }
}
