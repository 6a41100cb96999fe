import { type AnyEvents, EventManager, type EventManagerOptions } from '@event-manager/core';
import { FailableSink } from './failable-sink.ts';

/** What a test can do to the WebSockets that an event manager dials. */
export interface WebSocketFailures {
  /** Those of the subscriber are lost and do not come back until the failure ends. */
  simulateWebSocketFailure(subscriberId: string): Promise<void>;
  endWebSocketFailure(subscriberId: string): Promise<void>;
}

/** An embedded event manager whose WebSocket endpoints can be made to fail, to see what follows: a fallback, a metric, an alert. */
export function testEventManager<Events = AnyEvents>(
  options: EventManagerOptions<Events> = {},
): EventManager<Events> & WebSocketFailures {
  const failing = new Set<string>();
  const sinks = new Map<FailableSink, string | undefined>();
  const { webSocketSink: make } = options;
  const webSocketSink: typeof make =
    make &&
    ((definition) => {
      const { subscriber } = definition;
      const sink = new FailableSink(make(definition), subscriber !== undefined && failing.has(subscriber));
      sinks.set(sink, subscriber);
      return sink;
    });
  const turn = async (subscriberId: string, isFailing: boolean) => {
    if (isFailing) failing.add(subscriberId);
    else failing.delete(subscriberId);
    for (const [sink, subscriber] of sinks) if (subscriber === subscriberId) sink.turn(isFailing);
  };
  return Object.assign(new EventManager<Events>({ ...options, webSocketSink }), {
    simulateWebSocketFailure: (subscriberId: string) => turn(subscriberId, true),
    endWebSocketFailure: (subscriberId: string) => turn(subscriberId, false),
  });
}
