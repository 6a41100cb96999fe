import type { StreamReader, StreamRequest, SubscriptionDefinition } from '@event-manager/core';
import {
  type EventPriority,
  type Following,
  isEventManagerError,
  type RealtimeHandler,
  type RealtimeHost,
  type Runtime,
} from '@event-manager/core/portable';
import type { RemoteState } from '../http/remote-state.ts';
import type { RemoteStreams } from '../stream/remote-streams.ts';

/** How old the answer of `isConnected` may be: the connection is one of the service, and only the service knows. */
const LOOK_EVERY_MS = 1_000;
/** While a stream is opened. */
const FIRST_LOOKS_EVERY_MS = 50;
const FIRST_LOOKS_MAX = 100;

export interface RemoteRealtimeOptions {
  readonly events: RealtimeHost['events'];
  readonly state: RemoteState;
  readonly streams: RemoteStreams;
  readonly isAttached: (subscriptionId: string) => boolean;
  readonly runtime: Pick<Runtime, 'timers'>;
  readonly onError: (error: unknown) => void;
}

/**
 * Streams of a service. Without an endpoint the events come to this program. With one the service sends them there, and the
 * handlers here see the same events through a stream: they look on, and what they return changes nothing.
 */
export function remoteRealtime(options: RemoteRealtimeOptions): RealtimeHost {
  const { events, isAttached } = options;
  return {
    events,
    isAttached,
    async follow({ id, definition }, run) {
      const watched = new WatchedConnection(id, options);
      await watched.start();
      let onlooker: Promise<StreamReader> | undefined;
      const request = requestOf(definition);
      return {
        isConnected: () => watched.isConnected,
        listen() {
          if (onlooker) return;
          onlooker = options.streams.open(request);
          void lookOn(onlooker, definition.options.priority, run, options.onError).catch(options.onError);
        },
        stop() {
          watched.stop();
          void onlooker?.then((stream) => stream.close()).catch(options.onError);
        },
      } satisfies Following;
    },
  };
}

/** What the endpoint is sent, as a stream; its least priority is no part of a filter. */
function requestOf({ topic, filter, subscriber, context }: SubscriptionDefinition): StreamRequest {
  return {
    ...{ topics: [topic], from: 'latest' },
    ...(filter === undefined ? {} : { filter }),
    ...(subscriber === undefined ? {} : { subscriber }),
    ...(context === undefined ? {} : { context: { ...context } }),
  };
}

/** A handler that throws does so for its event; the next one is seen all the same. */
async function lookOn(
  onlooker: Promise<StreamReader>,
  least: EventPriority | undefined,
  run: RealtimeHandler,
  onError: (error: unknown) => void,
): Promise<void> {
  for await (const frame of await onlooker) {
    if (frame.kind !== 'event' || (least !== undefined && frame.event.priority > least)) continue;
    try {
      await run(frame.event);
    } catch (error) {
      onError(error);
    }
  }
}

/** Asks the service how the connection of a subscription is, now and then. */
class WatchedConnection {
  isConnected = false;
  readonly #id: string;
  readonly #options: RemoteRealtimeOptions;
  #cancel: () => void = () => {};
  #isStopped = false;

  constructor(id: string, options: RemoteRealtimeOptions) {
    this.#id = id;
    this.#options = options;
  }

  /** Resolves when it is connected or known not to be. */
  async start(): Promise<void> {
    for (let looks = 0; looks < FIRST_LOOKS_MAX; looks++) {
      if (await this.#look()) break;
      await new Promise<void>((resolve) => this.#options.runtime.timers.after(FIRST_LOOKS_EVERY_MS, resolve, true));
    }
    this.#again();
  }

  stop(): void {
    this.#isStopped = true;
    this.isConnected = false;
    this.#cancel();
  }

  #again(): void {
    if (this.#isStopped) return;
    this.#cancel = this.#options.runtime.timers.after(LOOK_EVERY_MS, () => {
      this.#look().then(() => this.#again(), this.#options.onError);
    });
  }

  /** True when there is something to say. A service that is away says nothing of the connection, so nobody knows of one. */
  async #look(): Promise<boolean> {
    try {
      const { status } = await this.#options.state.subscription(this.#id);
      this.isConnected = !this.#isStopped && status.realtime?.connected === true;
      return this.isConnected || !status.realtime || status.realtime.lastError !== undefined;
    } catch (error) {
      if (!isEventManagerError(error)) throw error;
      this.isConnected = false;
      return false;
    }
  }
}
