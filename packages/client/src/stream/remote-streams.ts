import type { StreamReader, StreamRequest } from '@event-manager/core';
import {
  checkJson,
  checkStreamRequest,
  DEFAULT_LIMITS,
  type EventManagerError,
  type JsonObject,
  type Runtime,
} from '@event-manager/core/portable';
import type { Connection, ConnectionUser } from '../connection/connection.ts';
import type { ServerFrame } from '../connection/frames.ts';
import type { Requests } from '../connection/requests.ts';
import { RemoteStream } from './remote-stream.ts';

export interface RemoteStreamsOptions {
  readonly connection: Connection;
  readonly requests: Requests;
  readonly runtime: Runtime;
  readonly timeoutMs: number;
}

/** The streams that are read in this program. */
export class RemoteStreams implements ConnectionUser {
  readonly #options: RemoteStreamsOptions;
  readonly #all = new Set<RemoteStream>();
  readonly #byName = new Map<string, RemoteStream>();

  constructor(options: RemoteStreamsOptions) {
    this.#options = options;
    options.connection.use(this);
  }

  get needsConnection(): boolean {
    return this.#all.size > 0;
  }

  /** Throws `invalid_query`, what the service says, `unreachable`. */
  open(wanted: StreamRequest): Promise<StreamReader> {
    checkStreamRequest(wanted);
    const { from = 'latest', topics, filter, subscriber, context } = wanted;
    const given = Object.entries({ topics, filter, subscriber, context }).filter(([, value]) => value !== undefined);
    const request = Object.fromEntries(given);
    checkJson(request, { depthMax: DEFAULT_LIMITS.depthMax, pointer: '', code: 'invalid_filter' });
    const stream = new RemoteStream({
      ...this.#options,
      request: request as JsonObject,
      from,
      onFlowing: (flowing, name) => this.#byName.set(name, flowing),
      onHeld: (name) => this.#byName.delete(name),
      onClosed: (closed) => this.#all.delete(closed),
    });
    this.#all.add(stream);
    return stream.open();
  }

  close(): void {
    for (const stream of [...this.#all]) stream.close();
  }

  opened(): void {
    for (const stream of this.#all) stream.opened();
  }

  took(frame: ServerFrame): boolean {
    if (frame.type !== 'event' && frame.type !== 'gap' && frame.type !== 'cursor') return false;
    this.#byName.get(frame.stream)?.take(frame);
    return true;
  }

  lost(): void {
    this.#byName.clear();
    for (const stream of this.#all) stream.lost();
  }

  gaveUp(reason: EventManagerError): void {
    for (const stream of [...this.#all]) stream.fail(reason);
  }
}
