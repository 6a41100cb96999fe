import { join } from 'node:path';
import { EventBus } from '@event-manager/core';
import { type BrowserOptions, EventIntegratedWebSocketManager } from '@event-manager/realtime';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../packages/realtime/test/until.ts';

interface Followed {
  readonly url: string;
  readonly cursor: string;
  readonly client: string;
  readonly eventTypes: readonly string[];
  onEvent(event: { readonly type: string; readonly payload: { readonly id: number } }): void;
  onState(state: string): void;
  onMissed(why: string): void;
}

/** The page's own file, which runs as it is where there is a WebSocket. */
const page = join(import.meta.dirname, '../../examples/task-manager/page/live-events.js');
const { followEvents } = (await import(page)) as { followEvents(options: Followed): () => void };

async function serve(bus: EventBus, options: BrowserOptions = {}) {
  const sockets = new EventIntegratedWebSocketManager({ port: 0, drainMs: 50, ...options });
  await sockets.subscribeToEventBus(bus);
  onTestFinished(() => sockets.close());
  return sockets;
}

function follow(url: string, cursor: string, eventTypes = ['wanted']) {
  const got: number[] = [];
  const states: string[] = [];
  const missed: string[] = [];
  const stop = followEvents({
    ...{ url, cursor, client: 'page', eventTypes },
    onEvent: ({ payload }) => got.push(payload.id),
    onState: (state) => states.push(state),
    onMissed: (why) => missed.push(why),
  });
  onTestFinished(stop);
  return { got, states, missed, stop };
}

async function newBus(): Promise<{ bus: EventBus; cursor: string; say: (id: number) => Promise<unknown> }> {
  const bus = new EventBus();
  onTestFinished(() => bus.close());
  const stream = await bus.eventManager.stream();
  stream.close();
  return { bus, cursor: stream.cursor, say: (id) => bus.publish('wanted', 'wanted', { id }) };
}

it('shows everything once and in order, whoever goes away and comes back', async () => {
  const { bus, cursor, say } = await newBus();
  let sockets = await serve(bus);
  const { port } = sockets;
  await say(1);
  const { got, states, missed, stop } = follow(`ws://127.0.0.1:${port}/ws`, cursor);
  await until(() => got.length === 1);
  await say(2);
  await until(() => got.length === 2);
  await sockets.close();
  await until(() => states.at(-1) === 'waiting');
  await say(3);
  await bus.publish('unwanted', 'unwanted', { id: 0 });
  sockets = await serve(bus, { port });
  await say(4);
  await until(() => got.length === 4);
  expect(got).toEqual([1, 2, 3, 4]);
  expect(states).toEqual(['live', 'waiting', 'live']);
  expect(missed).toEqual([]);
  stop();
  await until(() => sockets.getMetrics().connections === 0);
  await say(5);
  expect(got).toHaveLength(4);
});

it('says when something cannot be had: a gap, a failed conversion, an unknown cursor', async () => {
  const { bus, cursor, say } = await newBus();
  const transform = {
    wanted: () => {
      throw new TypeError('no');
    },
  };
  const sockets = await serve(bus, { bridge: { transform } });
  const url = `ws://127.0.0.1:${sockets.port}/ws`;
  const failing = follow(url, cursor);
  await say(1);
  await until(() => failing.missed.length === 1);
  const unknown = follow(url, 'nonsense');
  await until(() => unknown.missed.length === 1);
  const other = await newBus();
  for (let id = 0; id < 5; id++) await other.say(id);
  const ahead = await other.bus.eventManager.stream();
  ahead.close();
  const gap = follow(url, ahead.cursor);
  await until(() => gap.missed.length === 1);
  expect([failing, unknown, gap].map(({ missed }) => missed[0])).toEqual([
    'an event could not be read',
    'nobody knows where this page was',
    'the log is without a part: ahead',
  ]);
});
