import type { Runtime } from '@event-manager/core';
import type { Connections } from './connections.ts';
import type { PartingClient } from './parting-client.ts';

const FIRST_PAUSE_MS = 250;
const PAUSE_MS_MAX = 5_000;
/** Whoever listens sends nothing, so nothing would ever tell it that the other side is gone. */
const KEEP_ALIVE_MS = 5_000;

/**
 * Hears what other processes announce, on a connection of its own.
 *
 * States: `idle → connecting → listening → waiting → connecting …`, and from any of them `closed`. A connection that fails
 * or ends is made anew after a pause; what was announced meanwhile is lost, so every new one begins with a hint of its own.
 * One that is silently dead looks like one on which nothing is announced: while it listens it is asked a question every
 * `KEEP_ALIVE_MS`, and fails when there is no answer within the time limit of the connections.
 */
export class Listener {
  readonly #connections: Connections;
  readonly #runtime: Runtime;
  readonly #hints: string;
  readonly #self: string;
  readonly #watchers = new Set<() => void>();
  #client: PartingClient | undefined;
  #isListening = false;
  #isStarted = false;
  #isClosed = false;
  #pauseMs = FIRST_PAUSE_MS;

  /** `self` is what this process announces its own changes by. */
  constructor(connections: Connections, runtime: Runtime, names: { hints: string; self: string }) {
    this.#connections = connections;
    this.#runtime = runtime;
    this.#hints = names.hints;
    this.#self = names.self;
  }

  watch(onHint: () => void): () => void {
    const watcher = () => onHint();
    this.#watchers.add(watcher);
    if (!this.#isStarted) {
      this.#isStarted = true;
      void this.#connect();
    }
    return () => this.#watchers.delete(watcher);
  }

  /** Whether announcements arrive, as far as is known. */
  get isListening(): boolean {
    return this.#isListening;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watchers.clear();
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  async #connect(): Promise<void> {
    if (this.#isClosed) return;
    const client = this.#connections.single({ timeoutMs: this.#connections.queryTimeoutMs });
    this.#client = client;
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      this.#isListening = false;
      client.end().catch(() => {});
      if (!this.#isClosed) this.#connectLater();
    };
    client.on('error', over);
    client.on('end', over);
    client.on('notification', ({ payload }) => {
      if (payload !== this.#self) this.#hint();
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${client.escapeIdentifier(this.#hints)}`);
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#isListening = true;
      this.#hint();
      this.#askLater(client, over);
    } catch {
      over();
    }
  }

  #askLater(client: PartingClient, over: () => void): void {
    this.#runtime.timers.after(KEEP_ALIVE_MS, () => {
      if (this.#client !== client || !this.#isListening) return;
      client.query('SELECT 1').then(() => this.#askLater(client, over), over);
    });
  }

  #connectLater(): void {
    this.#runtime.timers.after(this.#pauseMs, () => void this.#connect());
    this.#pauseMs = Math.min(PAUSE_MS_MAX, 2 * this.#pauseMs);
  }

  #hint(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
