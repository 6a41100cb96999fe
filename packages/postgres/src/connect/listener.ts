import type { Runtime } from '@event-manager/core';
import { escapeIdentifier } from 'pg';
import type { Connections } from './connections.ts';
import type { PartingClient } from './parting-client.ts';

const FIRST_PAUSE_MS = 250;
const PAUSE_MS_MAX = 5_000;
/** Whoever listens sends nothing, so nothing would ever tell it that the other side is gone. */
const KEEP_ALIVE_MS = 5_000;
const ANNOUNCE = `SELECT pg_notify(channel, payload)
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(channel, payload, ord) ORDER BY ord`;

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
  /** What else is listened to, and who hears it. */
  readonly #hearers = new Map<string, (payload: string) => void>();
  #client: PartingClient | undefined;
  #turn: Promise<unknown> = Promise.resolve();
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
    this.#start();
    return () => this.#watchers.delete(watcher);
  }

  /** Also listens to what is announced under this name; returns the end of it. */
  hear(place: string, onPayload: (payload: string) => void): () => void {
    this.#hearers.set(place, onPayload);
    this.#start();
    // One that is not listening yet begins with all of them. What fails here ends the connection, and the next one does it.
    if (this.#isListening) void this.#ask(this.#client!, listenTo([place])).catch(() => {});
    return () => this.#hearers.delete(place);
  }

  /** Announces all of it together, in its order; resolves when it is announced or lost. */
  async announce(what: readonly { readonly place: string; readonly payload: string }[]): Promise<void> {
    const client = this.#client;
    if (!client || !this.#isListening) return;
    const values = [what.map(({ place }) => place), what.map(({ payload }) => payload)];
    await this.#ask(client, ANNOUNCE, values).catch(() => {});
  }

  /** One after the other: the driver takes no statement while it has one. */
  #ask(client: PartingClient, text: string, values: readonly unknown[] = []): Promise<unknown> {
    const asked = this.#turn.then(() => client.query(text, [...values]));
    this.#turn = asked.catch(() => {});
    return asked;
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    void this.#connect();
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
    this.#turn = Promise.resolve();
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
    client.on('notification', ({ channel, payload = '' }) => {
      if (channel !== this.#hints) this.#hearers.get(channel)?.(payload);
      else if (payload !== this.#self) this.#hint();
    });
    try {
      await client.connect();
      // What is announced here need not be on a disk before others hear of it.
      await client.query('SET synchronous_commit = off');
      await this.#listenToAll(client);
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#isListening = true;
      this.#hint();
      this.#askLater(client, over);
    } catch {
      over();
    }
  }

  /** Also to what was asked for meanwhile. */
  async #listenToAll(client: PartingClient): Promise<void> {
    const heard = new Set<string>();
    for (;;) {
      const missing = [this.#hints, ...this.#hearers.keys()].filter((place) => !heard.has(place));
      if (missing.length === 0) return;
      await client.query(listenTo(missing));
      for (const place of missing) heard.add(place);
    }
  }

  #askLater(client: PartingClient, over: () => void): void {
    this.#runtime.timers.after(KEEP_ALIVE_MS, () => {
      if (this.#client !== client || !this.#isListening) return;
      this.#ask(client, 'SELECT 1').then(() => this.#askLater(client, over), over);
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

function listenTo(places: readonly string[]): string {
  return places.map((place) => `LISTEN ${escapeIdentifier(place)}`).join('; ');
}
