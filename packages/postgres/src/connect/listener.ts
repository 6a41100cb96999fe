import type { Runtime } from '@event-manager/core';
import type { Client } from 'pg';
import type { Connections } from './connections.ts';

const FIRST_PAUSE_MS = 250;
const PAUSE_MS_MAX = 5_000;

/**
 * Hears what other processes announce, on a connection of its own.
 *
 * States: `idle → connecting → listening → waiting → connecting …`, and from any of them `closed`. A connection that fails
 * or ends is made anew after a pause; what was announced meanwhile is lost, so every new one begins with a hint of its own.
 */
export class Listener {
  readonly #connections: Connections;
  readonly #runtime: Runtime;
  readonly #hints: string;
  readonly #self: string;
  readonly #watchers = new Set<() => void>();
  #client: Client | undefined;
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

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watchers.clear();
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  async #connect(): Promise<void> {
    if (this.#isClosed) return;
    const client = this.#connections.single({ timeoutMs: undefined });
    this.#client = client;
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
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
      this.#hint();
    } catch {
      over();
    }
  }

  #connectLater(): void {
    this.#runtime.timers.after(this.#pauseMs, () => void this.#connect());
    this.#pauseMs = Math.min(PAUSE_MS_MAX, 2 * this.#pauseMs);
  }

  #hint(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
