/**
 * One WebSocket to the service, made when something needs it and made again when it is lost.
 *
 *     idle ──need──▶ connecting ──hello──▶ open
 *      ▲                 │ lost              │ lost, or silent for two heartbeats
 *      │                 ▼                   │
 *      ├──not needed── waiting ◀─────────────┘
 *      └──given up────── │ ──backoff──▶ connecting
 *
 *     any ──close──▶ closed
 *
 * A connection is open only behind the `hello` of the service: before that nobody knows its limits, and a proxy that accepts
 * connections for a service that is away would look like one. Frames and ends of an earlier socket are ignored: each socket
 * has its own listeners, and only those of the present one act.
 */
import { EventManagerError, type Runtime } from '@event-manager/core/portable';
import { backoffMs } from '../backoff.ts';
import type { ConnectionChange } from '../client-options.ts';
import { type HelloFrame, PROTOCOL, type ServerFrame } from './frames.ts';
import { Heartbeat } from './heartbeat.ts';
import { readFrame } from './read-frame.ts';

/** Whoever lives on the connection. Called in the order of registration, never from within `need` or `send`. */
export interface ConnectionUser {
  /** Something waits for the service, so a lost connection has to be made again. */
  readonly needsConnection: boolean;
  opened(hello: HelloFrame): void;
  /** True when the frame was meant for this one. */
  took(frame: ServerFrame): boolean;
  /** What was sent and not answered may or may not have been done. */
  lost(): void;
  /** It is not tried again: whatever waits for the service fails with this. */
  gaveUp(reason: EventManagerError): void;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly runtime: Runtime;
  readonly heartbeatMs: number;
  readonly reconnectForMs: number;
  readonly onConnection: (change: ConnectionChange) => void;
}

type State = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

const HELLO_WITHIN_MS = 10_000;
const NORMAL_CLOSE = 1_000;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #users: ConnectionUser[] = [];
  readonly #heartbeat: Heartbeat;
  #state: State = 'idle';
  #socket: WebSocket | undefined;
  #cancelTimer: () => void = () => {};
  /** Failures since somebody here was told something: one that says hello and ends at once is tried more and more seldom, too. */
  #failures = 0;
  #awaySinceMs = 0;
  #lastRef = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { runtime, heartbeatMs } = options;
    this.#heartbeat = new Heartbeat({
      timers: runtime.timers,
      everyMs: heartbeatMs,
      ask: () => this.send('{"type":"ping"}'),
      onSilence: () => this.#lose('The service is silent.'),
    });
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Bytes handed to the socket that have not left it. */
  get unsentBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  use(user: ConnectionUser): void {
    this.#users.push(user);
  }

  /** A number that no other frame of this client has. */
  nextRef(): number {
    return ++this.#lastRef;
  }

  /** Somebody has something to send: connects unless that is under way. */
  need(): void {
    if (this.#state !== 'idle') return;
    this.#failures = 0;
    this.#awaySinceMs = this.#options.runtime.clock.monotonicMs();
    this.#connect();
  }

  /** To be called while open. */
  send(text: string): void {
    this.#socket?.send(text);
  }

  /** Somebody waited in vain for an answer: better a new connection than one that may never answer again. */
  distrust(reason: string): void {
    if (this.#state === 'open') this.#lose(reason);
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#leaveSocket();
  }

  #connect(): void {
    this.#state = 'connecting';
    const socket = this.#socketOrNone();
    if (!socket) return;
    this.#socket = socket;
    const isPresent = () => this.#socket === socket;
    socket.addEventListener('message', ({ data }) => {
      if (isPresent()) this.#take(data);
    });
    socket.addEventListener('close', ({ code, reason }) => {
      if (isPresent()) this.#lose(reason === '' ? `The connection ended (${code}).` : reason);
    });
    // It is followed by a close, but in Node not for every way of failing.
    socket.addEventListener('error', () => {
      if (isPresent()) this.#lose('No connection.');
    });
    this.#cancelTimer = this.#options.runtime.timers.after(
      HELLO_WITHIN_MS,
      () => this.#lose('The service does not say hello.'),
      true,
    );
  }

  /** A page that was loaded safely may not connect unsafely: a browser says so by throwing. */
  #socketOrNone(): WebSocket | undefined {
    try {
      return new WebSocket(this.#options.url, [PROTOCOL]);
    } catch (error) {
      this.#lose(String(error));
      return undefined;
    }
  }

  #take(data: unknown): void {
    this.#heartbeat.heard();
    const frame = readFrame(data);
    if (frame === undefined) this.#lose('What answers is no event manager.');
    else if (frame === 'unknown') return;
    else if (frame.type === 'hello') this.#open(frame);
    else this.#hand(frame);
  }

  #hand(frame: ServerFrame): void {
    try {
      if (this.#users.some((user) => user.took(frame)) && this.isOpen) this.#failures = 0;
    } catch (error) {
      // Nested so deep that nobody can look through it: no event manager stores that, and it must not end the program.
      if (!(error instanceof RangeError)) throw error;
      this.#lose('What answers is no event manager.');
    }
  }

  #open(hello: HelloFrame): void {
    if (this.#state !== 'connecting') return;
    this.#cancelTimer();
    this.#state = 'open';
    this.#heartbeat.start();
    this.#options.onConnection({ state: 'connected' });
    for (const user of this.#users) user.opened(hello);
  }

  #lose(reason: string): void {
    const { runtime, reconnectForMs, onConnection } = this.#options;
    const nowMs = runtime.clock.monotonicMs();
    if (this.#state === 'open') this.#awaySinceMs = nowMs;
    this.#leaveSocket();
    this.#failures++;
    // Set before anybody is told: who then needs a connection must not make a second one.
    this.#state = 'waiting';
    for (const user of this.#users) user.lost();
    if (!this.#users.some((user) => user.needsConnection)) {
      this.#state = 'idle';
      onConnection({ state: 'disconnected', reason });
      return;
    }
    const retryAfterMs = backoffMs(this.#failures, runtime.chance);
    if (nowMs + retryAfterMs - this.#awaySinceMs <= reconnectForMs) {
      this.#cancelTimer = runtime.timers.after(retryAfterMs, () => this.#connect(), true);
      onConnection({ state: 'disconnected', reason, retryAfterMs });
    } else this.#giveUp(reason);
  }

  #giveUp(reason: string): void {
    this.#state = 'idle';
    this.#options.onConnection({ state: 'given-up', reason });
    const error = new EventManagerError('unreachable', `The service cannot be reached: ${reason}`);
    for (const user of this.#users) user.gaveUp(error);
  }

  #leaveSocket(): void {
    this.#cancelTimer();
    this.#heartbeat.stop();
    const socket = this.#socket;
    this.#socket = undefined;
    // A socket whose peer is gone takes its time to close; nobody waits for it.
    socket?.close(NORMAL_CLOSE);
  }
}
