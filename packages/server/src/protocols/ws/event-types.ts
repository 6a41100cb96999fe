import {
  ANONYMOUS,
  compileFilter,
  decodeCursor,
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

/** Everything but `except` when `types` is absent. */
interface Wanted {
  readonly types: readonly string[] | undefined;
  readonly except: readonly string[];
}

/** As a page is told. */
export interface WantedTypes {
  readonly eventTypes: readonly string[];
  readonly except?: readonly string[];
}

const NOTHING: Wanted = { types: [], except: [] };

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
 * The plain form for live pages: a set of event types, and every event of one of them from now on, or from a cursor that the
 * page holds. Changes of the set come one after the other, and the stream goes on meanwhile, so that a change neither repeats
 * nor skips anything. Who began with everything has it until it first says what it wants; what it says it does not want before
 * is left out.
 */
export class EventTypes {
  readonly #options: EventTypesOptions;
  #wanted: Wanted = NOTHING;
  #matches: (event: Event) => boolean = () => false;
  #stream: EventStream | undefined;
  /** A page that holds a cursor wants it moved while nothing comes. */
  #holdsCursor = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: EventTypesOptions) {
    this.#options = options;
  }

  /** Everything, or these. Resolves with the cursor from where it comes. Throws `invalid_pattern`, `invalid_cursor`, `overloaded`. */
  begin(from: string, types?: readonly string[]): Promise<string> {
    return this.#inTurn(async () => {
      await this.#want({ types, except: [] }, from);
      this.#holdsCursor = true;
      return this.#stream?.cursor ?? from;
    });
  }

  /** Resolves with what is wanted now. With `from` it comes from that cursor on. Throws `invalid_filter`, `invalid_cursor`, `overloaded`. */
  add(types: readonly string[], from?: string): Promise<WantedTypes> {
    if (from !== undefined) this.#holdsCursor = true;
    return this.#inTurn(() =>
      this.#want({ types: [...new Set([...(this.#wanted.types ?? []), ...types])], except: [] }, from),
    );
  }

  remove(types: readonly string[]): Promise<WantedTypes> {
    return this.#inTurn(() => {
      const { types: known, except } = this.#wanted;
      if (known === undefined) return this.#want({ types: known, except: [...new Set([...except, ...types])] });
      const unwanted = new Set(types);
      return this.#want({ types: known.filter((type) => !unwanted.has(type)), except });
    });
  }

  #inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(change);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  async #want(wanted: Wanted, from?: string): Promise<WantedTypes> {
    const matches = this.#compile(wanted);
    // What cannot be read must not end the stream that there is.
    if (from !== undefined && from !== 'latest' && from !== 'earliest') decodeCursor(from, '/from');
    const isNone = wanted.types?.length === 0;
    if (!isNone && (from !== undefined || !this.#stream)) await this.#open(from ?? 'latest');
    this.#wanted = wanted;
    this.#matches = matches;
    if (isNone) {
      this.#stream?.close();
      this.#stream = undefined;
    }
    const { types: eventTypes = ['#'], except } = wanted;
    return { eventTypes, ...(except.length === 0 ? {} : { except }) };
  }

  #compile({ types, except }: Wanted): (event: Event) => boolean {
    const { limits } = this.#options.context.engine;
    const named = types ?? except;
    if (named.length > TYPES_MAX) {
      const words = `A connection names at most ${TYPES_MAX} event types.`;
      throw new EventManagerError('invalid_filter', words, { pointer: '/eventTypes', limit: TYPES_MAX });
    }
    for (const [index, type] of named.entries()) parsePattern(type, limits, `/eventTypes/${index}`);
    if (named.length === 0) return () => types === undefined;
    const isNamed = compileFilter(parseFilter({ types: named }, limits, ''));
    return types === undefined ? (event) => !isNamed(event) : isNamed;
  }

  async #open(from: string): Promise<void> {
    const { context, outbox, streams } = this.#options;
    const before = this.#stream;
    if (before) closeStream(context, before);
    this.#stream = undefined;
    const stream = await openStream(context, ANONYMOUS, { from, streamsMax: streams.streamsMax });
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
        if (this.#stream !== stream) return;
        for (const frame of frames) {
          if (frame.kind === 'gap' || this.#matches(frame.event)) outbox.send(streamFrame(NAME, frame));
        }
      },
      beat: (cursor) => {
        if (this.#holdsCursor && this.#stream === stream) outbox.send(cursorFrame(cursor));
      },
      drained: () => outbox.drained(),
    });
  }
}

/** Moves the cursor of a page. */
export const cursorFrame = (cursor: string): string => `{"type":"cursor","stream":"${NAME}","cursor":"${cursor}"}`;
