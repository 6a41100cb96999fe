import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { ANONYMOUS, Engine, memory, systemRuntime } from '@event-manager/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { addressGuard } from '../src/address/address-guard.ts';
import { webhookSender } from '../src/send/sender.ts';
import { webhookSink } from '../src/webhook-sink.ts';
import { httpReceiver, rawReceiver } from './receiver.ts';

const CAP = 4;
const HEALTHY = 20;
const EVENTS = 60;

/**
 * Accepts connections and never answers. Counts those that are open at our end: at the other one a connection that we closed may be
 * noticed after the next one.
 */
async function deadReceiver() {
  const ours = new Set<Socket>();
  const onSocket = (message: unknown) => void ours.add((message as { socket: Socket }).socket);
  subscribe('net.client.socket', onSocket);
  onTestFinished(() => void unsubscribe('net.client.socket', onSocket));
  let most = 0;
  let ever = 0;
  const { url, port } = await rawReceiver((socket) => {
    ever++;
    const open = [...ours].filter((each) => each.remotePort === port && !each.destroyed);
    most = Math.max(most, open.length);
    // Without reading, the end of a connection would not be noticed.
    socket.resume();
  });
  return { url, most: () => most, ever: () => ever };
}

async function openEngine() {
  const guard = addressGuard({ allow: ['loopback'] });
  const sender = webhookSender({ guard });
  const engine = await Engine.open({
    adapter: memory(),
    webhookSink: ({ sink }) =>
      webhookSink({ endpoint: (sink as { endpoint: string }).endpoint, runtime: systemRuntime, guard, sender }),
  });
  onTestFinished(async () => {
    await engine.close({ drainMs: 0 });
    await sender.close();
  });
  return engine;
}

describe('an endpoint that accepts and never answers', () => {
  it.each([
    ['a request', 'http:', 2 * CAP],
    // Requests wait for the one connection that is being made.
    ['a TLS handshake', 'https:', 1],
  ])(
    'has no more connections than attempts may be under way, and holds up nobody: %s',
    async (_what, protocol, least) => {
      const dead = await deadReceiver();
      const alive = await httpReceiver((_, response) => response.end());
      const engine = await openEngine();
      const retryPolicy = { maxRetries: 1_000, backoffStrategy: 'fixed', initialDelay: 5, maxDelay: 5 };
      const endpoint = dead.url.replace('http:', protocol);
      // Without the breaker, so that it is tried as often as it can be.
      const options = { maxConcurrency: CAP, timeoutMs: 100, retryPolicy, breaker: false };
      const { id } = await engine.subscriptions.subscribe(ANONYMOUS, { topic: '#', endpoint, options });
      const healthy: string[] = [];
      for (let n = 0; n < HEALTHY; n++) {
        const definition = await engine.subscriptions.subscribe(ANONYMOUS, { topic: '#', endpoint: alive.url });
        healthy.push(definition.id);
      }
      const inputs = Array.from({ length: EVENTS }, () => ({ type: 'a', source: 'test' }));
      await engine.publishBatch(ANONYMOUS, inputs);
      const delivered = () => healthy.map((each) => engine.subscriptions.status(ANONYMOUS, each).counts.delivered);
      await expect.poll(delivered, { timeout: 10_000 }).toEqual(Array(HEALTHY).fill(EVENTS));
      const failed = () => engine.subscriptions.status(ANONYMOUS, id).counts.failed;
      await expect.poll(failed, { timeout: 20_000 }).toBeGreaterThanOrEqual(5 * CAP);
      expect(dead.ever()).toBeGreaterThanOrEqual(least);
      expect(dead.most()).toBeLessThanOrEqual(CAP);
      if (protocol === 'https:') expect(dead.ever()).toBeLessThanOrEqual(CAP);
      else expect(dead.most()).toBe(CAP);
      const facts = {
        protocol,
        cap: CAP,
        socketsMax: dead.most() || dead.ever(),
        connections: dead.ever(),
        failed: failed(),
      };
      process.stdout.write(`${JSON.stringify({ test: 'D8', ...facts })}\n`);
    },
    60_000,
  );
});
