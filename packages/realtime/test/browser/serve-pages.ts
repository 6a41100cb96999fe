import { EventBus } from '@event-manager/core';
import { onTestFinished } from 'vitest';
import { type BrowserOptions, EventIntegratedWebSocketManager } from '../../src/index.ts';

export interface ServedPages {
  readonly bus: EventBus;
  readonly sockets: EventIntegratedWebSocketManager;
  readonly url: string;
}

/** A bus in memory, and its pages on a free port. Both end with the test. */
export async function servePages(options: BrowserOptions = {}, bus = new EventBus()): Promise<ServedPages> {
  const sockets = new EventIntegratedWebSocketManager({ port: 0, drainMs: 200, ...options });
  await sockets.subscribeToEventBus(bus);
  onTestFinished(async () => {
    await sockets.close();
    await bus.close();
  });
  return { bus, sockets, url: `ws://127.0.0.1:${sockets.port}/ws` };
}
