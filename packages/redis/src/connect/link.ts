/*
 * The connection to Redis, and a new one whenever it is lost.
 *
 *     new ──start──▶ connecting ──answers, no replica, right policy, hears──▶ up
 *                     │    ▲                                                   │ an end, an error, a beat without an answer
 *                     ▼    │                                                   ▼
 *                    waiting ◀─────────────────────────────────────────────── (away)          any ──close──▶ closed
 *
 * While it is up a beat goes out every second and must be answered soon: a peer that is gone without a goodbye, a server that
 * is stopped or paused, and one that became a replica are all found by that, at the latest after BEAT_MS + ANSWER_MS. What
 * was said before that and not answered may or may not have been heard, now or much later.
 *
 * Invariants: at most one client exists, and what an earlier one still does has no effect; nothing said while not up is kept;
 * what was to be heard before it came up is heard from then on.
 */
import { isEventManagerError, type Runtime } from '@event-manager/core';
import { checkServer } from './check-server.ts';
import type { RedisAddress } from './read-url.ts';
import { makeClient, type RedisClient } from './redis-client.ts';
import { REPLICA, SILENT, whyAway } from './why-away.ts';

/** How often it is shown that the server answers, and how long that may take. */
export const BEAT_MS = 1_000;
export const ANSWER_MS = 1_500;
const CONNECT_MS = 2_500;
/** Nobody need stop for longer. */
const SAID_WITHIN_MS = 1_000;
const FIRST_PAUSE_MS = 100;
const PAUSE_MS_MAX = 2_000;
/** What may be said and not answered yet; a server that is slow must not fill our memory. */
const UNANSWERED_BYTES_MAX = 8 << 20;

export interface LinkOptions {
  readonly address: RedisAddress;
  readonly runtime: Runtime;
  /** What is said each second, and to which place. */
  readonly beat: () => { readonly place: string; readonly text: string };
  /** It came up or was lost. */
  readonly onChange: () => void;
}

export type LinkState =
  | { readonly isUp: true; readonly since: string; readonly policy: 'seen' | 'hidden' }
  | { readonly isUp: false; readonly since: string; readonly reason: string };

export class Link {
  readonly #options: LinkOptions;
  readonly #places = new Map<string, (text: string) => void>();
  /** On the present connection: those that the server was asked for, and those that it said yes to. */
  readonly #asked = new Set<string>();
  readonly #heard = new Set<string>();
  #client: RedisClient | undefined;
  #state: LinkState;
  readonly #unanswered = new Set<Promise<void>>();
  #unansweredBytes = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #cancelPause: () => void = () => {};
  #isClosed = false;
  /** Times that it was lost. */
  #losses = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#state = { isUp: false, since: this.#now(), reason: 'Redis was not asked yet.' };
  }

  get state(): LinkState {
    return this.#state;
  }

  get losses(): number {
    return this.#losses;
  }

  /** Resolves when the first try is over, whatever came of it, unless that is a server that must be refused. */
  async start(): Promise<void> {
    const failure = await this.#connect();
    if (isEventManagerError(failure, 'invalid_setting')) {
      this.close();
      throw failure;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelPause();
    if (this.#client !== undefined) this.#drop(this.#client, 'The adapter is closed.');
  }

  /** What is said at this place is heard as soon as it can be, on this connection and on those to come. */
  async hear(place: string, onText: (text: string) => void): Promise<void> {
    this.#places.set(place, onText);
    if (this.#client !== undefined && this.#state.isUp) await this.#hearMissing(this.#client);
  }

  isHearing(place: string): boolean {
    return this.#state.isUp && this.#heard.has(place);
  }

  /** Undefined when it cannot be said now. Otherwise it resolves when the server took it or the connection was lost. */
  say(place: string, text: string): Promise<void> | undefined {
    const client = this.#client;
    const bytes = 2 * text.length;
    if (client === undefined || !this.#state.isUp) return undefined;
    if (this.#unansweredBytes + bytes > UNANSWERED_BYTES_MAX) return undefined;
    this.#unansweredBytes += bytes;
    const answered = () => {
      this.#unansweredBytes -= bytes;
      this.#unanswered.delete(saying);
    };
    const saying = client.publish(place, text).then(answered, answered);
    this.#unanswered.add(saying);
    return saying;
  }

  /** Resolves when the server took all that was said or it was lost: whoever closes before may lose it. */
  async said(): Promise<void> {
    if (this.#unanswered.size > 0) await this.#within(SAID_WITHIN_MS, Promise.all(this.#unanswered));
  }

  /** What came of it: a failure, or nothing when it is up. */
  async #connect(): Promise<unknown> {
    if (this.#isClosed) return undefined;
    const client = makeClient(this.#options.address, CONNECT_MS);
    this.#client = client;
    client.on('error', (error) => this.#lose(client, whyAway(error)));
    client.on('end', () => this.#lose(client, whyAway(undefined)));
    // Given up while the system was still connecting it, the driver would go on with it.
    client.on('connect', () => {
      if (this.#client !== client) client.destroy();
    });
    try {
      const found = await this.#within(CONNECT_MS, this.#introduce(client));
      if (this.#client !== client) return undefined;
      if (found === undefined) this.#lose(client, SILENT);
      else if (found === 'replica') this.#lose(client, REPLICA);
      else this.#up(client, found);
      return undefined;
    } catch (error) {
      this.#lose(client, isEventManagerError(error) ? error.message : whyAway(error));
      return error;
    }
  }

  async #introduce(client: RedisClient): Promise<'seen' | 'hidden' | 'replica'> {
    await client.connect();
    const policy = await checkServer(client);
    if (await isReplica(client)) return 'replica';
    // Given up meanwhile: what it asked for now would be taken for asked by the next one.
    if (this.#client !== client) return policy;
    // Before it is up, so that whoever is told so is heard.
    await this.#subscribe(client);
    return policy;
  }

  #up(client: RedisClient, policy: 'seen' | 'hidden'): void {
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#state = { isUp: true, since: this.#now(), policy };
    this.#options.onChange();
    void this.#hearMissing(client);
    void this.#beat(client);
  }

  async #hearMissing(client: RedisClient): Promise<void> {
    try {
      await this.#subscribe(client);
    } catch (error) {
      this.#lose(client, whyAway(error));
    }
  }

  async #subscribe(client: RedisClient): Promise<void> {
    const missing = [...this.#places].filter(([place]) => !this.#asked.has(place));
    const all = missing.map(async ([place, onText]) => {
      this.#asked.add(place);
      await client.subscribe(place, (text) => {
        if (this.#client === client) onText(text);
      });
      if (this.#client === client) this.#heard.add(place);
    });
    await Promise.all(all);
  }

  async #beat(client: RedisClient): Promise<void> {
    const { beat, runtime } = this.#options;
    while (this.#client === client) {
      try {
        const { place, text } = beat();
        const asked = Promise.all([client.publish(place, text), isReplica(client)]);
        const answer = await this.#within(ANSWER_MS, asked);
        if (answer === undefined) return this.#lose(client, SILENT);
        if (answer[1]) return this.#lose(client, REPLICA);
      } catch (error) {
        return this.#lose(client, whyAway(error));
      }
      await new Promise<void>((resolve) => {
        runtime.timers.after(BEAT_MS, resolve);
      });
    }
  }

  /** Away from now on, for this reason; another try comes later. */
  #lose(client: RedisClient, reason: string): void {
    if (this.#client !== client) return;
    this.#drop(client, reason);
    if (this.#isClosed) return;
    const { timers, chance } = this.#options.runtime;
    // Between half and the whole of the time, so that those who lost it together do not come back together.
    const pauseMs = this.#pauseMs * (0.5 + chance.fraction() / 2);
    this.#pauseMs = Math.min(PAUSE_MS_MAX, 2 * this.#pauseMs);
    this.#cancelPause = timers.after(pauseMs, () => void this.#connect());
  }

  #drop(client: RedisClient, reason: string): void {
    const { isUp } = this.#state;
    this.#client = undefined;
    this.#asked.clear();
    this.#heard.clear();
    // How long it has been away counts from the loss; why it is away, from the latest try.
    this.#state = { isUp: false, since: isUp ? this.#now() : this.#state.since, reason };
    client.destroy();
    if (!isUp) return;
    this.#losses++;
    this.#options.onChange();
  }

  /** Undefined when it took longer. */
  #within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.runtime.timers.after(ms, () => resolve(undefined), true);
      work.then(resolve, reject).finally(cancel);
    });
  }

  #now(): string {
    return new Date(this.#options.runtime.clock.wallMs()).toISOString();
  }
}

/** What is said at a replica is not heard at its primary. Where we may not ask, it counts as none. */
async function isReplica(client: RedisClient): Promise<boolean> {
  return client.role().then(
    (answer) => answer?.role !== 'master',
    () => false,
  );
}
