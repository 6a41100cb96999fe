import type { RealtimeState, Sink } from '../contracts/sink.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type Enrich, enrichingSink } from '../sink/enriching-sink.ts';
import { FallbackSink } from '../sink/fallback-sink.ts';
import { lastCallSink } from './last-call-sink.ts';
import type { Fallback, SubscriptionDefinition } from './subscription.ts';

/** A WebSocket that we dial is patient itself: it counts its tries. */
const DIALLED_PATIENCE_MS = 0;
/** Whoever left may be back in a moment, after the hiccup of a network or a restart. */
const ATTACHED_PATIENCE_MS = 500;

export interface WaysOut {
  readonly webhookSink: ((definition: SubscriptionDefinition) => Sink) | undefined;
  readonly webSocketSink: ((definition: SubscriptionDefinition) => Sink) | undefined;
  readonly runtime: Runtime;
  /** What is sent in place of the events of a subscription, by its id. */
  readonly enrichers: Map<string, Enrich>;
  readonly onSwitched: (definition: SubscriptionDefinition, way: RealtimeState['way']) => void;
  /** For what nobody waits for. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * What a subscription that needs nobody attached is served through. `attached` stands for its handlers and sockets, whether or
 * not there are any now. `undefined` where this process has no way out of that kind.
 */
export function makeSink(definition: SubscriptionDefinition, ways: WaysOut, attached?: Sink): Sink | undefined {
  const { sink } = definition;
  if (sink.kind === 'webhook') return webhook(definition, ways);
  if (sink.kind === 'websocket') return dialled(definition, ways, sink.fallback);
  if ((sink.kind === 'handler' || sink.kind === 'socket') && sink.fallback && attached) {
    return withFallback(definition, ways, {
      primary: attached,
      fallback: sink.fallback,
      patienceMs: ATTACHED_PATIENCE_MS,
    });
  }
  return undefined;
}

function dialled(definition: SubscriptionDefinition, ways: WaysOut, fallback: Fallback | undefined): Sink | undefined {
  const primary = ways.webSocketSink?.(definition);
  if (!primary) return undefined;
  const sink = fallback
    ? withFallback(definition, ways, { primary, fallback, patienceMs: DIALLED_PATIENCE_MS })
    : primary;
  return sink && enrichingSink(sink, () => ways.enrichers.get(definition.id));
}

function withFallback(
  definition: SubscriptionDefinition,
  ways: WaysOut,
  { primary, fallback, patienceMs }: { primary: Sink; fallback: Fallback; patienceMs: number },
): Sink | undefined {
  const { runtime, onSwitched } = ways;
  const second = webhook({ ...definition, sink: { kind: 'webhook', ...fallback } }, ways);
  if (!second) return undefined;
  const onTurn = (way: RealtimeState['way']) => onSwitched(definition, way);
  return new FallbackSink({ primary, fallback: second, patienceMs, runtime, onSwitched: onTurn });
}

function webhook(definition: SubscriptionDefinition, { webhookSink, onFailure }: WaysOut): Sink | undefined {
  return webhookSink && lastCallSink(webhookSink(definition), onFailure);
}
