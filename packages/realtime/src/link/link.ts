/**
 * One WebSocket to a receiver, made when the subscription is served and made again whenever it is lost.
 *
 *     idle ──start──▶ connecting ──opened──▶ open
 *                        ▲   │ failed          │ closed, silent, cut
 *                        │   ▼                 │
 *                       waiting ◀──────────────┘
 *
 *     any ──close──▶ closed
 *
 * Beside the state stands hope: a loss is waited out until `reconnectAttempts` tries have failed, or one has gone without any
 * answer for a second; then the receiver counts as down, and whoever has another way takes it. The tries go on all the same.
 * A connection that ends before it was of any use counts as one more failed try, so a peer that accepts and hangs up is
 * tried more and more seldom, too.
 *
 * What an earlier socket says is ignored: each has its own listeners, and only those of the present one act.
 */
import { type AttemptError, isEventManagerError, type Runtime } from '@event-manager/core';
import { networkFailure } from '@event-manager/webhook';
import type { RawData, WebSocket } from 'ws';
import { backoffMs } from './backoff.ts';
import { Heartbeat } from './heartbeat.ts';

/** A try without any answer: others need not wait longer to know. */
const OVERDUE_MS = 1_000;
/** A try is given up. */
const CONNECT_MS = 10_000;
/** A connection that stood so long was one, whether or not anything was to be delivered. */
const USEFUL_MS = 10_000;
const NORMAL_CLOSE = 1_000;
const POLICY_VIOLATION = 1_008;
/** What a peer that does not take leave is given until the connection is cut. */
const LEAVE_MS = 1_000;

export interface LinkOptions {
  /** Begins a connection. Throws `EventManagerError` when the address may not be called. */
  readonly dial: () => WebSocket;
  readonly heartbeatMs: number;
  readonly reconnectAttempts: number;
  readonly runtime: Runtime;
  readonly onOpen: () => void;
  readonly onFrame: (data: Buffer) => void;
  /** What was sent and not answered may or may not have been handled. With the code by which the peer ended it, if it did. */
  readonly onLost: (closedWith?: number) => void;
  /** `isUp` has changed. */
  readonly onTurn: () => void;
  /** The peer sent a ping. */
  readonly onPing: () => void;
}

type State = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

export class Link {
  readonly #options: LinkOptions;
  readonly #heartbeat: Heartbeat;
  #state: State = 'idle';
  #socket: WebSocket | undefined;
  #cancel: () => void = () => {};
  #cancelOverdue: () => void = () => {};
  /** Tries that failed since a connection was of use. */
  #failures = 0;
  #wasUseful = false;
  #openedAtMs = 0;
  #isUp = true;
  #lastError: AttemptError | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#heartbeat = new Heartbeat({
      timers: options.runtime.timers,
      everyMs: options.heartbeatMs,
      ping: () => this.#socket?.ping(),
      onSilence: () => this.cut({ code: 'silent', message: 'The receiver does not answer pings.' }),
    });
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** There is a connection, or hope for one within a moment. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Why there is no connection; `undefined` while there is one. */
  get lastError(): AttemptError | undefined {
    return this.isOpen ? undefined : this.#lastError;
  }

  start(): void {
    if (this.#state === 'idle') this.#connect();
  }

  /** To be called while open. `done` once it left this process. To a peer that has said goodbye nothing goes: it is lost. */
  send(frame: Uint8Array | string, done?: () => void): void {
    const socket = this.#socket;
    if (!socket) return;
    if (socket.readyState === socket.OPEN) socket.send(frame, { binary: false }, () => done?.());
    else this.#lost({ code: 'connection_lost', message: 'The receiver ends the connection.' });
  }

  /** Something was delivered: this was a connection, and its loss will be the first. */
  useful(): void {
    this.#wasUseful = true;
  }

  /** Ends the connection for something that the peer did, and tries another. */
  cut(reason: AttemptError): void {
    if (this.#state === 'open') this.#lost(reason, { leaveWith: POLICY_VIOLATION });
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#leaveSocket(NORMAL_CLOSE);
  }

  #connect(): void {
    this.#state = 'connecting';
    let socket: WebSocket;
    try {
      socket = this.#options.dial();
    } catch (error) {
      if (!isEventManagerError(error)) throw error;
      this.#lost({ code: error.code, message: error.message });
      return;
    }
    this.#socket = socket;
    this.#listen(socket);
    const { timers } = this.#options.runtime;
    this.#cancelOverdue = timers.after(OVERDUE_MS, () => this.#setUp(false));
    this.#cancel = timers.after(CONNECT_MS, () =>
      this.#lost({ code: 'connect_timeout', message: 'The receiver did not accept the connection in time.' }),
    );
  }

  #listen(socket: WebSocket): void {
    const isPresent = () => this.#socket === socket;
    const lose = (reason: AttemptError, closedWith?: number) => {
      if (isPresent()) this.#lost(reason, { closedWith });
    };
    socket.on('open', () => {
      if (isPresent()) this.#opened();
    });
    socket.on('message', (data: RawData) => {
      if (!isPresent()) return;
      this.#heartbeat.heard();
      this.#options.onFrame(data as Buffer);
    });
    socket.on('pong', () => this.#heartbeat.heard());
    socket.on('ping', () => {
      if (!isPresent()) return;
      this.#heartbeat.heard();
      this.#options.onPing();
    });
    socket.on('unexpected-response', (request, response) => {
      request.destroy();
      const status = response.statusCode ?? 0;
      lose({ code: `http_${status}`, message: `The receiver answered with status ${status} instead of a WebSocket.` });
    });
    socket.on('error', (error) => lose(failureOf(error)));
    socket.on('close', (code) =>
      lose({ code: 'connection_lost', message: `The receiver ended the connection (${code}).` }, code),
    );
  }

  #opened(): void {
    this.#cancel();
    this.#cancelOverdue();
    this.#state = 'open';
    this.#wasUseful = false;
    this.#openedAtMs = this.#options.runtime.clock.monotonicMs();
    this.#heartbeat.start();
    this.#options.onOpen();
    this.#setUp(true);
  }

  #lost(
    reason: AttemptError,
    { leaveWith = NORMAL_CLOSE, closedWith }: { leaveWith?: number; closedWith?: number | undefined } = {},
  ): void {
    const { runtime, reconnectAttempts, onLost } = this.#options;
    const wasOpen = this.#state === 'open';
    const wasLong = wasOpen && runtime.clock.monotonicMs() - this.#openedAtMs >= USEFUL_MS;
    this.#failures = wasOpen && (wasLong || this.#wasUseful) ? 0 : this.#failures + 1;
    this.#leaveSocket(leaveWith);
    this.#lastError = reason;
    // Set before anybody is told: what is handed over then waits for the next connection.
    this.#state = 'waiting';
    this.#cancel = runtime.timers.after(backoffMs(this.#failures, runtime.chance), () => this.#connect());
    if (wasOpen) onLost(closedWith);
    if (this.#failures >= reconnectAttempts) this.#setUp(false);
  }

  #setUp(isUp: boolean): void {
    if (this.#isUp === isUp) return;
    this.#isUp = isUp;
    this.#options.onTurn();
  }

  #leaveSocket(code: number): void {
    this.#cancel();
    this.#cancelOverdue();
    this.#heartbeat.stop();
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.close(code);
    this.#options.runtime.timers.after(LEAVE_MS, () => socket.terminate());
  }
}

/** In codes that stay the same and words without addresses: the owner of the subscription reads them. */
function failureOf(error: Error & { code?: string }): AttemptError {
  if (error.code?.startsWith('WS_ERR_')) return { code: 'invalid_frame', message: error.message };
  const known = networkFailure(error);
  if (known) return known;
  return { code: 'invalid_response', message: `The receiver is no WebSocket of ours: ${error.message}` };
}
