import { describe, expect, it } from 'vitest';
import type { ConnectionChange } from '../../src/index.ts';
import { answerSubscribing } from '../support/answer-subscribing.ts';
import { clientOf } from '../support/client-of.ts';
import { httpStandIn } from '../support/http-stand-in.ts';
import { published, SocketStandIn } from '../support/socket-stand-in.ts';
import { until } from '../support/until.ts';

/** A client that holds on to a dead connection is deaf and says nothing. */
describe('the connection of a client', () => {
  it('is made when it is needed first, and once', async () => {
    const service = await SocketStandIn.start((frame, peer) => {
      if (frame.type === 'publish') peer.send(published(frame));
      else answerSubscribing(frame, peer);
    });
    const client = clientOf(service);
    expect(service.peers).toHaveLength(0);
    const event = { type: 'a', source: 'b' };
    await Promise.all([client.publish(event), client.subscribe({ topic: '#', handler() {} }), client.publish(event)]);
    expect(service.peers).toHaveLength(1);
  });

  it('is made anew when the service is silent, also to a question', async () => {
    const service = await SocketStandIn.start(answerSubscribing);
    await clientOf(service, { heartbeatMs: 50 }).subscribe({ topic: '#', handler() {} });
    await until('it is made anew', () => service.peers.length === 2);
    expect(service.of('ping').length).toBeGreaterThan(0);
  });

  it('stays when the service answers', async () => {
    const service = await SocketStandIn.start((frame, peer) => {
      if (frame.type === 'ping') peer.send({ type: 'pong' });
      else answerSubscribing(frame, peer);
    });
    await clientOf(service, { heartbeatMs: 250 }).subscribe({ topic: '#', handler() {} });
    await until('it was asked', () => service.of('ping').length >= 3);
    expect(service.peers).toHaveLength(1);
  });

  it('is not made anew when nothing needs it', async () => {
    const service = await SocketStandIn.start((frame, peer) => peer.send(published(frame)));
    const changes: ConnectionChange[] = [];
    const client = clientOf(service, { onConnection: (change) => changes.push(change) });
    await client.publish({ type: 'a', source: 'b' });
    service.peers[0]!.cut();
    await until('it is lost', () => changes.length === 2);
    expect(changes[1]).toMatchObject({ state: 'disconnected' });
    expect(changes[1]).not.toHaveProperty('retryAfterMs');
    await client.publish({ type: 'a', source: 'b' });
    expect(service.peers).toHaveLength(2);
  });

  it('is tried more and more seldom', async () => {
    const service = await SocketStandIn.start();
    service.stop();
    const waits: number[] = [];
    const onConnection = (change: ConnectionChange) => {
      if (change.state === 'disconnected') waits.push(change.retryAfterMs!);
    };
    const client = clientOf(service, { onConnection, publishTimeoutMs: 1_500 });
    await expect(client.publish({ type: 'a', source: 'b' })).rejects.toMatchObject({ code: 'unreachable' });
    expect(waits.length).toBeGreaterThan(3);
    for (const [at, waitMs] of waits.entries()) {
      expect(waitMs).toBeGreaterThanOrEqual(25 * 2 ** at);
      expect(waitMs).toBeLessThanOrEqual(50 * 2 ** at);
    }
  });

  it('is tried more and more seldom also when each one begins well and ends at once', async () => {
    const service = await SocketStandIn.start((_frame, peer) => peer.cut());
    const client = clientOf(service, { publishTimeoutMs: 1_500 });
    await expect(client.publish({ type: 'a', source: 'b' })).rejects.toMatchObject({ code: 'unreachable' });
    // Sixty, were every hello a success.
    expect(service.peers.length).toBeLessThan(10);
  });

  it('is lost when what answers is no event manager', async () => {
    const { url } = await httpStandIn((_asked, response) => response.end('hello'));
    const reasons: string[] = [];
    const onConnection = (change: ConnectionChange) => {
      if (change.state !== 'connected') reasons.push(change.reason);
    };
    const client = clientOf({ url }, { onConnection, reconnectForMs: 0 });
    await expect(client.publish({ type: 'a', source: 'b' })).rejects.toMatchObject({ code: 'unreachable' });
    expect(reasons.length).toBeGreaterThan(0);
  });

  it('is lost when what answers nests without end, and the program lives on', async () => {
    const service = await SocketStandIn.start(answerSubscribing);
    const reasons: string[] = [];
    const onConnection = (change: ConnectionChange) => {
      if (change.state !== 'connected') reasons.push(change.reason);
    };
    await clientOf(service, { onConnection }).subscribe({ name: 'n', topic: '#', handler() {} });
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const event = `{"id":"e","metadata":{},"payload":${deep}}`;
    const deliveries = `[{"delivery":1,"attempt":1,"cursor":"c","event":${event}}]`;
    service.peers[0]!.sendText(`{"type":"delivery","subscription":"n","deliveries":${deliveries}}`);
    await until('it is attached again', () => service.of('subscribe').length === 2);
    expect(reasons).toEqual(['What answers is no event manager.']);
  });

  it.each(['localhost:3004', 'ftp://localhost', 'http://localhost/?a=b', ''])('refuses the address %j', (url) => {
    expect(() => clientOf({ url })).toThrow(TypeError);
  });

  it('refuses options that cannot be meant', () => {
    expect(() => clientOf({ url: 'http://localhost' }, { publishTimeoutMs: -1 })).toThrow(TypeError);
    expect(() => clientOf({ url: 'http://localhost' }, { waitingMax: Number.NaN })).toThrow(TypeError);
    expect(() => clientOf({ url: 'http://localhost' }, { heartbeatMs: '5' } as never)).toThrow('heartbeatMs');
    expect(() => clientOf({ url: 'http://localhost' }, { publishTimeOutMs: 5 } as never)).toThrow('publishTimeOutMs');
  });
});
