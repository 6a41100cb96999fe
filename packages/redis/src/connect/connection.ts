/*
 * The connection that the store is asked by, and a new one whenever it is lost.
 *
 *     none ──a call──▶ connecting ──answers, no replica, set as it must be, followed──▶ up
 *      ▲                   │                                                             │ an end, an error of the way,
 *      └───────────────────┴─────────────────────────────────────────────────────────────┘ no answer in time
 *
 * Every call may be repeated without harm (an append by the ids of its events, a commit by its number), so what fails for a
 * reason that passes is tried again, on a new connection where the old one is gone, until its time is over: a server that
 * restarts or fails over is a pause for the caller, and a lost answer is asked for again rather than guessed.
 *
 * Invariants: at most one client exists; nothing is asked on one before the server behind it was looked at and the log was followed
 * there (`introduce`), so no answer is believed that comes from another log than the one this process knows. What was asked on a
 * connection that was given up may still arrive at the server, before or after what is asked on the next one.
 */
import { EventManagerError, isEventManagerError, type Runtime } from '@event-manager/core';
import { ErrorReply, RESP_TYPES } from 'redis';
import type { Script, ScriptValue } from '../lua/script.ts';
import { Reach } from './reach.ts';
import type { RedisAddress } from './read-url.ts';
import { makeClient, type RedisClient } from './redis-client.ts';
import { connectError, silent, storeError, unusable } from './store-error.ts';

const FIRST_PAUSE_MS = 25;
const PAUSE_MS_MAX = 500;
/** Of the time of a call. */
const CONNECT_SHARE = 1 / 2;
/** A last try gets so long, however little is left. */
const LAST_TRY_MS = 100;

/** Numbers are numbers; text and bytes are bytes; false is null. */
export type Reply = number | Buffer | null | readonly Reply[];

export interface Answer {
  readonly reply: Reply;
  /** 1 unless earlier tries failed; those may have had their effect all the same. */
  readonly tries: number;
}

/** Asks once, on the connection that is being introduced. */
export type AskOnce = (script: Script, values: readonly ScriptValue[]) => Promise<Reply>;

export interface ConnectionOptions {
  readonly address: RedisAddress;
  readonly keyPrefix: string;
  readonly commandTimeoutMs: number;
  readonly runtime: Runtime;
  /** Looks at the server of a new connection before anything else is asked there. */
  readonly introduce: (client: RedisClient, ask: AskOnce) => Promise<void>;
}

export class Connection {
  /** How the way to the server is, as calls that must not wait long find it. */
  readonly reach: Reach;
  readonly #options: ConnectionOptions;
  readonly #underWay = new Set<Promise<unknown>>();
  #client: { readonly client: RedisClient; readonly ready: Promise<RedisClient> } | undefined;
  #isStopping = false;
  #losses = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.reach = new Reach(options.runtime.clock);
  }

  get queryTimeoutMs(): number {
    return this.#options.commandTimeoutMs;
  }

  /** Times that a connection was lost. */
  get losses(): number {
    return this.#losses;
  }

  /** On the clock that time limits go by. */
  nowMs(): number {
    return this.#options.runtime.clock.monotonicMs();
  }

  async ask(script: Script, values: readonly ScriptValue[]): Promise<Reply> {
    return (await this.askCounted(script, values)).reply;
  }

  /** The same, telling how often it was tried, and with less time than any call may take. */
  async askCounted(
    script: Script,
    values: readonly ScriptValue[],
    withinMs = this.#options.commandTimeoutMs,
  ): Promise<Answer> {
    const call = this.reach.began();
    try {
      return await this.#track(this.#repeat((client) => this.#evaluate(client, script, values), withinMs));
    } finally {
      this.reach.ended(call);
    }
  }

  /** Connects if nobody is; what is wrong with the server or the way is told as it is. */
  async connect(): Promise<void> {
    await this.#track(this.#repeat(async () => null, this.#options.commandTimeoutMs, 'as it is'));
  }

  /**
   * Looks at the server that we are connected to as if the connection were new: what is set otherwise while it runs tells nobody. A
   * server that must not be used any more is left.
   */
  async lookAgain(): Promise<void> {
    const { client, ready } = this.#client ?? {};
    if (client === undefined) return;
    const looking = ready!.then(() => this.#introduce(client));
    await this.#track(within(this.#options.runtime, this.queryTimeoutMs, looking).catch(() => this.#lose(client)));
  }

  /** Lets what is under way end with the try that it is in. */
  stopTrying(): void {
    this.#isStopping = true;
  }

  /** Waits for what is under way and ends the connection. */
  async close(): Promise<void> {
    this.#isStopping = true;
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    const { client } = this.#client ?? {};
    this.#client = undefined;
    client?.destroy();
  }

  async #repeat(
    ask: (client: RedisClient) => Promise<Reply>,
    withinMs: number,
    telling: 'as it is' | 'as it passes' = 'as it passes',
  ): Promise<Answer> {
    const deadlineMs = this.nowMs() + withinMs;
    for (let tries = 1, pauseMs = FIRST_PAUSE_MS; ; tries++, pauseMs = Math.min(PAUSE_MS_MAX, 2 * pauseMs)) {
      if (this.reach.end !== undefined) throw this.reach.end;
      try {
        const reply = await this.#try(ask, deadlineMs, telling);
        this.reach.succeeded();
        return { reply, tries };
      } catch (error) {
        const known = storeError(error);
        this.reach.failed(known);
        // Who closes waits for what is under way, not for a server that may never come back.
        const isWorthTrying = isEventManagerError(known, 'store_unavailable') && !this.#isStopping;
        if (!isWorthTrying || this.nowMs() + pauseMs >= deadlineMs) throw known;
        await this.#pause(pauseMs);
        if (this.#isStopping) throw known;
      }
    }
  }

  async #try(
    ask: (client: RedisClient) => Promise<Reply>,
    deadlineMs: number,
    telling: 'as it is' | 'as it passes',
  ): Promise<Reply> {
    const leftMs = () => Math.max(LAST_TRY_MS, deadlineMs - this.nowMs());
    const client = await within(this.#options.runtime, leftMs(), this.#connected()).catch((error: unknown) => {
      const known = storeError(error);
      const isSetWrong = isEventManagerError(known, 'invalid_setting');
      // What ran well until now and is set otherwise meanwhile may be set right again.
      throw isSetWrong && telling === 'as it passes' ? unusable(known.message) : known;
    });
    try {
      return await within(this.#options.runtime, leftMs(), ask(client));
    } catch (error) {
      // The server answered: the connection can take the next call. A replica is not the server that it was.
      if (!(error instanceof ErrorReply) || storeError(error).details['redisCode'] === 'READONLY') this.#lose(client);
      throw error;
    }
  }

  #connected(): Promise<RedisClient> {
    this.#client ??= this.#connectAnew();
    return this.#client.ready;
  }

  #connectAnew() {
    const { address, commandTimeoutMs, runtime } = this.#options;
    const connectMs = Math.ceil(commandTimeoutMs * CONNECT_SHARE);
    const client = makeClient(address, connectMs);
    client.on('error', () => this.#lose(client));
    client.on('end', () => this.#lose(client));
    // Given up while the system was still connecting it, the driver would go on with it.
    client.on('connect', () => {
      if (this.#client?.client !== client) client.destroy();
    });
    const connecting = async () => {
      await client.connect().catch((error: unknown) => {
        throw connectError(error);
      });
      await this.#introduce(client);
      return client;
    };
    const ready = within(runtime, connectMs, connecting());
    ready.catch(() => this.#lose(client));
    return { client, ready };
  }

  #introduce(client: RedisClient): Promise<void> {
    return this.#options.introduce(client, (script, values) => this.#evaluate(client, script, values));
  }

  async #evaluate(client: RedisClient, script: Script, values: readonly ScriptValue[]): Promise<Reply> {
    const asking = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    const args = ['1', this.#options.keyPrefix, ...values.map(asArgument)];
    try {
      return await asking.sendCommand<Reply>(['EVALSHA', script.digest, ...args]);
    } catch (error) {
      // After its start, and when somebody flushed them, it knows no scripts.
      if (!(error instanceof ErrorReply) || !error.message.startsWith('NOSCRIPT')) throw error;
      return asking.sendCommand<Reply>(['EVAL', script.source, ...args]);
    }
  }

  #lose(client: RedisClient): void {
    if (this.#client?.client !== client) return;
    this.#client = undefined;
    this.#losses++;
    client.destroy();
  }

  /** Between half and the whole of the time, so that what failed together does not come back together. */
  #pause(ms: number): Promise<void> {
    const { timers, chance } = this.#options.runtime;
    return new Promise((resolve) => {
      timers.after(ms * (0.5 + chance.fraction() / 2), resolve, true);
    });
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const forget = () => this.#underWay.delete(work);
    work.then(forget, forget);
    return work;
  }
}

function asArgument(value: ScriptValue): string | Buffer {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** Throws `store_unavailable` when it takes longer. */
function within<T>(runtime: Runtime, ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = runtime.timers.after(ms, () => reject(silent()), true);
    work.then(resolve, reject).finally(cancel);
  });
}

export function closedError(): EventManagerError {
  return new EventManagerError('closed', 'The Redis adapter is not open.');
}
