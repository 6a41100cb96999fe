import { EventManagerError } from '@event-manager/core/portable';
import { problemError } from '../http/problem-error.ts';
import type { Connection, ConnectionUser } from './connection.ts';
import type { AnswerFrame, ServerFrame } from './frames.ts';

export interface Reply {
  /** Called within the turn in which the answer came, so that what follows on the connection finds it taken. */
  answered(frame: AnswerFrame): void;
  /** Refused by the service, or `unreachable` when the connection was lost meanwhile. */
  failed(error: EventManagerError): void;
}

/** Frames of this connection that have one answer each. Whoever asks decides whether to ask again on the next connection. */
export class Requests implements ConnectionUser {
  readonly #connection: Connection;
  readonly #replies = new Map<number, Reply>();
  readonly needsConnection = false;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.use(this);
  }

  /** To be called while the connection is open. */
  ask(frame: { readonly type: string; readonly [field: string]: unknown }, reply: Reply): void {
    const ref = this.#connection.nextRef();
    this.#replies.set(ref, reply);
    this.#connection.send(JSON.stringify({ ...frame, ref }));
  }

  opened(): void {}

  took(frame: ServerFrame): boolean {
    if (!('ref' in frame) || frame.ref === undefined) return false;
    const reply = this.#replies.get(frame.ref);
    if (reply === undefined) return false;
    this.#replies.delete(frame.ref);
    if (frame.type === 'error') reply.failed(problemError(frame.error));
    else reply.answered(frame as AnswerFrame);
    return true;
  }

  lost(): void {
    const replies = [...this.#replies.values()];
    this.#replies.clear();
    for (const reply of replies) reply.failed(new EventManagerError('unreachable', 'The connection was lost.'));
  }

  gaveUp(): void {}
}
