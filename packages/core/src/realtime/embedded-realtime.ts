import type { Engine } from '../engine.ts';
import type { Subscription } from '../event-manager.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { systemRuntime } from '../runtime/runtime.ts';
import type { Following, RealtimeHandler, RealtimeHost } from './realtime-stream.ts';

const LOOK_EVERY_MS = 5;
const LOOKS_MAX = 1_000;

/** Streams of the bus in this process: what their handlers return is what the endpoint is sent. */
export function embeddedRealtime(
  events: RealtimeHost['events'],
  open: () => Promise<Engine>,
  runtime: Runtime = systemRuntime,
): RealtimeHost {
  return {
    events,
    isAttached: () => true,
    async follow({ id }: Subscription, run: RealtimeHandler): Promise<Following> {
      const { subscriptions } = await open();
      const isConnected = () => subscriptions.realtime(id)?.connected === true;
      // Whoever awaits a stream asks next whether it is connected.
      for (let looks = 0; looks < LOOKS_MAX; looks++) {
        const state = subscriptions.realtime(id);
        if (!state || state.connected || state.lastError) break;
        await new Promise<void>((resolve) => runtime.timers.after(LOOK_EVERY_MS, resolve, true));
      }
      return {
        isConnected,
        listen: () => subscriptions.enrich(id, run),
        stop: () => subscriptions.enrich(id, undefined),
      };
    },
  };
}
