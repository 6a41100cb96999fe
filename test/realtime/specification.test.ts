/** What the specification and the plan to move to it write is run here as they write it: addresses, imports and waiting apart. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { EventManagerClient } from '@event-manager/client';
import { type Event, EventManager, EventPriority, type HandlerResult, systemRuntime } from '@event-manager/core';
import { dialledWebSockets, receiveRealtime } from '@event-manager/realtime';
import { testEventManager } from '@event-manager/testing';
import { addressGuard, webhookSink } from '@event-manager/webhook';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { until } from '../e2e/support/until.ts';

const guard = addressGuard({ allow: ['loopback'] });
const ways = {
  webSocketSink: dialledWebSockets({ guard }),
  webhookSink: ({ sink }: { sink: unknown }) =>
    webhookSink({ ...(sink as { endpoint: string }), runtime: systemRuntime, guard }),
};

/** The assistance service: accepts the stream and the webhook on one port, as the addresses of the specification do. */
async function assistance() {
  const streamed: Event[] = [];
  const posted: Event[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = JSON.parse(text) as Event | { events: Event[] };
    posted.push(...('events' in body ? body.events : [body]));
    response.writeHead(204).end();
  });
  receiveRealtime(server, { path: '/events/realtime', handler: (event) => void streamed.push(event) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { streamed, posted, webhook: `http://${host}/events/webhook`, realtime: `ws://${host}/events/realtime` };
}

async function embedded(): Promise<EventManager> {
  const events = new EventManager(ways);
  onTestFinished(() => events.close());
  return events;
}

async function remote(): Promise<EventManager> {
  const environment = { EVENT_MANAGER_WEBHOOK_ALLOW: 'loopback' };
  const service = await ServiceProcess.start({ dataDir: join(temporaryDirectory(), 'data'), port: 0, environment });
  const client = new EventManagerClient(service.url);
  onTestFinished(async () => {
    await client.close();
    await service.stop('SIGKILL');
  });
  return client;
}

const critical = {
  type: 'system.failure',
  source: 'test',
  priority: EventPriority.CRITICAL,
  metadata: { userId: 'u', projectId: 'p' },
};
const ordinary = { ...critical, type: 'project.created', priority: EventPriority.NORMAL };

describe.each([
  ['embedded', embedded],
  ['over the network', remote],
] as const)('%s', (_, make) => {
  it('the universal subscription and the stream of critical events', async () => {
    const aas = await assistance();
    const aasEventManager = await make();
    await aasEventManager.subscribe({
      topic: '#',
      endpoint: aas.webhook,
      connection_type: 'webhook',
      filter: { priority: 'NORMAL', exclude_types: ['system.heartbeat', 'metrics.internal'], user_relevant: true },
      options: { batch_size: 20, realtime: true, fallback_webhook: aas.webhook },
    });
    const aasWebSocket = await aasEventManager.createRealtimeStream({
      endpoint: aas.realtime,
      filters: { priority: ['CRITICAL', 'HIGH'], userContext: true, projectContext: true },
    });
    expect(aasWebSocket.isConnected()).toBe(true);
    await aasEventManager.publish(critical);
    await aasEventManager.publish(ordinary);
    await aasEventManager.publish({ ...ordinary, type: 'system.heartbeat' });
    await until('both have come', 10_000, () => aas.streamed.length === 1 && aas.posted.length === 2);
    expect(aas.streamed.map(({ type }) => type)).toEqual(['system.failure']);
    expect(aas.posted.map(({ type }) => type).sort()).toEqual(['project.created', 'system.failure']);
    await aasWebSocket.close();
    expect(aasWebSocket.isConnected()).toBe(false);
  });

  it('a stream of a subscriber, set up with everything in one object, and set up anew', async () => {
    const aasEventManager = await make();
    const seen: string[] = [];
    const stream = await aasEventManager.setupRealtimeStream('aas-service', {
      priority: ['CRITICAL', 'HIGH'],
      userContext: true,
      projectContext: true,
      compressionEnabled: true,
    });
    stream.onEvent((event) => void seen.push(event.type));
    expect(stream.isConnected()).toBe(true);
    expect(stream.subscription.definition.subscriber).toBe('aas-service');
    await aasEventManager.publish(ordinary);
    await aasEventManager.publish(critical);
    await until('the critical one has come', 10_000, () => seen.length === 1);
    expect(seen).toEqual(['system.failure']);

    const aas = await assistance();
    const endpoint = aas.realtime;
    const first = await aasEventManager.setupRealtimeStream('aas-service', { endpoint, priority: 'CRITICAL' });
    const second = await aasEventManager.setupRealtimeStream('aas-service', { endpoint, compressionEnabled: true });
    expect(second.subscription.id).toBe(first.subscription.id);
    expect(second.subscription.definition).toMatchObject({ sink: { kind: 'websocket', compression: true } });
    await aasEventManager.publish({ ...ordinary, payload: { text: 'x'.repeat(5_000) } });
    await until('the ordinary one has come, too', 10_000, () => aas.streamed.length === 1);
    await second.close();
    expect((await aasEventManager.listSubscriptions()).map(({ name }) => name)).not.toContain('realtime/aas-service');
  });

  it('handlers of the assistance service, with options as it writes them', async () => {
    const aas = await assistance();
    const eventManager = await make();
    const handled: string[] = [];
    const handleAnyEvent = async (event: Event): Promise<HandlerResult> => {
      handled.push(`any ${event.type}`);
      return { success: true };
    };
    await eventManager.subscribe({
      topic: '#',
      handler: handleAnyEvent,
      options: { priority: EventPriority.HIGH, batchSize: 20, realtime: true, fallbackWebhook: aas.webhook },
    });
    await eventManager.subscribe({
      topic: '#',
      handler: async ({ type }) => void handled.push(`critical ${type}`),
      filter: { priority: EventPriority.CRITICAL, types: ['process.stuck', 'user.error', 'system.failure'] },
      options: { batchSize: 1, realtime: true },
    });
    await eventManager.publish(critical);
    await until('both were called', 10_000, () => handled.length === 2);
    expect(handled.sort()).toEqual(['any system.failure', 'critical system.failure']);
    expect(aas.posted).toEqual([]);
  });
});

/** Answers are given to whoever asks while nothing was awaited, as the handler of the specification does. */
it('a stream that is used before it is open, whose handler enriches what is sent', async () => {
  const aas = await assistance();
  const eventManager = await embedded();
  async function setupAASRealtimeStream(aasServiceId: string) {
    const aasStream = eventManager.createRealtimeStream({
      subscriberId: aasServiceId,
      connectionType: 'websocket',
      endpoint: aas.realtime,
      filters: {
        priority: [EventPriority.CRITICAL, EventPriority.HIGH],
        userContext: true,
        projectContext: true,
        excludeSystemEvents: true,
      },
      options: { heartbeatInterval: 30000, reconnectAttempts: 5, bufferSize: 100, compressionEnabled: true },
    });
    aasStream.onEvent((event: Event) => {
      const enhancedEvent = {
        ...event,
        aasContext: { userRelevance: 1, assistanceOpportunity: 'none', suggestedActions: [], contextualData: {} },
      };
      return enhancedEvent;
    });
    return aasStream;
  }
  const stream = await setupAASRealtimeStream('aas-service');
  await until('it is connected', 5_000, () => stream.isConnected());
  await eventManager.publish(critical);
  await until('it has come', 10_000, () => aas.streamed.length === 1);
  expect(aas.streamed[0]).toMatchObject({ type: 'system.failure', aasContext: { userRelevance: 1 } });
});

it('over the network the handlers look on: what is sent is what is stored', async () => {
  const aas = await assistance();
  const events = await remote();
  const seen: Event[] = [];
  const stream = await events.createRealtimeStream({ subscriberId: 'aas-service', endpoint: aas.realtime });
  stream.onEvent((event) => {
    seen.push(event);
    return { ...event, aasContext: {} };
  });
  await until('the onlooker sees events', 10_000, async () => {
    await events.publish(ordinary);
    return seen.length > 0 && aas.streamed.length > 0;
  });
  expect(aas.streamed[0]).not.toHaveProperty('aasContext');
  await stream.close();
});

describe('EventManager to AAS End-to-End', () => {
  it('should establish WebSocket connection with AAS', async () => {
    const aas = await assistance();
    const eventManager = await embedded();
    const aasConnection = await eventManager.createRealtimeStream({
      subscriberId: 'aas-service',
      endpoint: aas.realtime,
    });
    expect(aasConnection.isConnected()).toBe(true);
  });

  it('should handle AAS webhook fallback on WebSocket failure', async () => {
    const aas = await assistance();
    const eventManager = testEventManager(ways);
    onTestFinished(() => eventManager.close());
    const stream = await eventManager.createRealtimeStream({
      subscriberId: 'aas-service',
      endpoint: aas.realtime,
      fallbackWebhook: aas.webhook,
    });
    await eventManager.simulateWebSocketFailure('aas-service');
    expect(stream.isConnected()).toBe(false);
    await eventManager.publish({ type: 'critical.alert', source: 'test' });
    await until('the webhook was called', 5_000, () => aas.posted.length === 1);
    expect(aas.streamed).toEqual([]);
    await eventManager.endWebSocketFailure('aas-service');
    await until('it is back', 10_000, async () => {
      await eventManager.publish({ type: 'critical.alert', source: 'test' });
      return aas.streamed.length > 0;
    });
  });
});
