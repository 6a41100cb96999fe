import { describe, expect, it } from 'vitest';
import { EventManagerClient } from '../../src/index.ts';
import { clientOf } from '../support/client-of.ts';
import { eventsOf, type Frame, published, SocketStandIn } from '../support/socket-stand-in.ts';

const EVENT = { type: 'order.created', source: 'shop' };

const many = (count: number) => Array.from({ length: count }, (_, number) => ({ ...EVENT, payload: { number } }));

/** What is published while the service restarts or has too much to do would be lost, or would be the application's burden. */
describe('publishing over the network', () => {
  it('makes the id before it sends, and resolves with the acknowledgement', async () => {
    const service = await SocketStandIn.start((frame, peer) => peer.send(published(frame)));
    const result = await clientOf(service).publish(EVENT);
    const [sent] = eventsOf(service.of('publish')[0]!);
    expect(result).toEqual({ id: sent!.id, cursor: `after-${sent!.id}`, duplicate: false });
    expect(result.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  it('puts what is published in one turn into one frame', async () => {
    const service = await SocketStandIn.start((frame, peer) => peer.send(published(frame)));
    const client = clientOf(service);
    await Promise.all(many(100).map((event) => client.publish(event)));
    expect(service.of('publish').map((frame) => eventsOf(frame).length)).toEqual([100]);
  });

  it('leaves no more unanswered than the service allows, and keeps the order', async () => {
    let unanswered = 0;
    let most = 0;
    const service = await SocketStandIn.start((frame, peer) => {
      unanswered += eventsOf(frame).length;
      most = Math.max(most, unanswered);
      setImmediate(() => {
        unanswered -= eventsOf(frame).length;
        peer.send(published(frame));
      });
    });
    service.limits.windowEvents = 16;
    const client = clientOf(service);
    await Promise.all(many(200).map((event) => client.publish(event)));
    expect(most).toBe(16);
    const numbers = service.of('publish').flatMap((frame) => eventsOf(frame).map(({ payload }) => payload));
    expect(numbers).toEqual(many(200).map(({ payload }) => payload));
  });

  it('sends no frame that is larger than the service reads', async () => {
    const service = await SocketStandIn.start((frame, peer) => peer.send(published(frame)));
    service.limits.frameBytesMax = 2_000;
    const client = clientOf(service);
    await Promise.all(many(100).map((event) => client.publish({ ...event, payload: { text: 'ü'.repeat(100) } })));
    const sizes = service.of('publish').map((frame) => Buffer.byteLength(JSON.stringify(frame)));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2_000);
    expect(Math.max(...sizes)).toBeGreaterThan(1_000);
    const refused = client.publish({ ...EVENT, payload: { text: 'x'.repeat(2_000) } });
    await expect(refused).rejects.toMatchObject({ code: 'event_too_large', details: { maximum: 2_000 } });
  });

  it('sends again, under the same ids and in order, what was not answered when the connection was lost', async () => {
    const service = await SocketStandIn.start((frame, peer) => {
      if (peer.number === 1) peer.cut();
      else peer.send(published(frame, true));
    });
    const client = clientOf(service);
    const results = await Promise.all(many(3).map((event) => client.publish(event)));
    const [first, second] = service.of('publish').map((frame) => eventsOf(frame));
    expect(second).toEqual(first);
    // The service says that it has them: because of this very call, so to its caller it is no duplicate.
    expect(results.map(({ duplicate }) => duplicate)).toEqual([false, false, false]);
  });

  it('says that an event is a duplicate when the first send was answered so', async () => {
    const service = await SocketStandIn.start((frame, peer) => peer.send(published(frame, true)));
    await expect(clientOf(service).publish(EVENT)).resolves.toMatchObject({ duplicate: true });
  });

  it('waits as long as the service asks when it refuses for now', async () => {
    const times: number[] = [];
    const service = await SocketStandIn.start((frame, peer) => {
      times.push(performance.now());
      const error = { code: 'overloaded', detail: 'Later.', retryable: true, retryAfterMs: 300 };
      peer.send(times.length === 1 ? { type: 'published', answers: [{ ref: frame.ref, error }] } : published(frame));
    });
    await clientOf(service).publish(EVENT);
    expect(times[1]! - times[0]!).toBeGreaterThan(290);
  });

  it('rejects with what the service says of one event, and stores the others', async () => {
    const answer = (frame: Frame) => ({
      ref: frame.ref,
      results: eventsOf(frame).map(({ id }, at) =>
        at === 1
          ? { error: { code: 'invalid_event', detail: 'No.', retryable: false, pointer: '/type' } }
          : { id, cursor: 'c', duplicate: false },
      ),
    });
    const service = await SocketStandIn.start((frame, peer) => {
      peer.send({ type: 'published', answers: [answer(frame)] });
    });
    const { results, stored, failed } = await clientOf(service).publishBatch(many(3));
    expect({ stored, failed }).toEqual({ stored: 2, failed: 1 });
    expect(results[1]).toMatchObject({ code: 'invalid_event', details: { pointer: '/1/type' } });
  });

  it('sends the events of a frame alone when the service refuses the whole of it', async () => {
    const service = await SocketStandIn.start((frame, peer) => {
      const isBad = eventsOf(frame).some(({ payload }) => (payload as { number: number }).number === 2);
      const error = { code: 'invalid_json', detail: 'No.', retryable: false };
      peer.send(isBad ? { type: 'error', ref: frame.ref, error } : published(frame));
    });
    const { results } = await clientOf(service).publishBatch(many(4));
    expect(results.map((result) => ('code' in result ? result.code : 'stored'))).toEqual([
      'stored',
      'stored',
      'invalid_json',
      'stored',
    ]);
  });

  it('refuses with overloaded when more waits than may', async () => {
    const service = await SocketStandIn.start();
    const client = clientOf(service, { waitingMax: 10, publishTimeoutMs: 200 });
    const waiting = many(10).map((event) => client.publish(event));
    await expect(client.publish(EVENT)).rejects.toMatchObject({ code: 'overloaded', retryable: true });
    const outcomes = await Promise.allSettled(waiting);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    const byBytes = clientOf(service, { waitingBytesMax: 500, publishTimeoutMs: 200 });
    const large = { ...EVENT, payload: { text: 'x'.repeat(1_000) } };
    // However large, one has room.
    const first = byBytes.publish(large);
    await expect(byBytes.publish(large)).rejects.toMatchObject({ code: 'overloaded', details: { limit: 500 } });
    await expect(first).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('fails when its time is used up, and says whether the event may be stored', async () => {
    const service = await SocketStandIn.start();
    const client = clientOf(service, { publishTimeoutMs: 1_500 });
    await expect(client.publish(EVENT)).rejects.toMatchObject({ code: 'unreachable', details: { sends: 1 } });
    service.stop();
    const another = clientOf(service, { publishTimeoutMs: 200 });
    await expect(another.publish(EVENT)).rejects.toMatchObject({ code: 'unreachable', details: { sends: 0 } });
  });

  it('does not trust a connection any more on which nothing was answered', async () => {
    const service = await SocketStandIn.start((frame, peer) => {
      if (peer.number === 2) peer.send(published(frame));
    });
    service.limits.windowEvents = 2;
    const client = clientOf(service, { publishTimeoutMs: 1_500 });
    const lost = await Promise.allSettled(many(2).map((event) => client.publish(event)));
    expect(lost.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(client.publish(EVENT)).resolves.toMatchObject({ duplicate: false });
  });

  it('fails with the reason of the service when that is known', async () => {
    const error = { code: 'disk_full', detail: 'Full.', retryable: true, retryAfterMs: 50 };
    const service = await SocketStandIn.start((frame, peer) => {
      peer.send({ type: 'published', answers: [{ ref: frame.ref, error }] });
    });
    await expect(clientOf(service, { publishTimeoutMs: 1_500 }).publish(EVENT)).rejects.toMatchObject({
      code: 'disk_full',
    });
  });

  it('gives up when it was told for how long to try', async () => {
    const service = await SocketStandIn.start();
    service.stop();
    const states: string[] = [];
    const client = clientOf(service, { reconnectForMs: 2_000, onConnection: ({ state }) => states.push(state) });
    await expect(client.publish(EVENT)).rejects.toMatchObject({ code: 'unreachable' });
    expect(states.at(-1)).toBe('given-up');
    await service.listen();
    service.onFrame = (frame, peer) => peer.send(published(frame));
    await expect(client.publish(EVENT)).resolves.toMatchObject({ duplicate: false });
  });

  it('settles when everything handed in so far is answered', async () => {
    const service = await SocketStandIn.start((frame, peer) => setTimeout(() => peer.send(published(frame)), 50));
    const client = clientOf(service);
    let isAnswered = false;
    const publishing = client.publish(EVENT).then(() => (isAnswered = true));
    await client.settled();
    await publishing;
    expect(isAnswered).toBe(true);
    await expect(client.settled()).resolves.toBeUndefined();
  });

  it('closes when everything is answered, and refuses from then on', async () => {
    const service = await SocketStandIn.start((frame, peer) => setTimeout(() => peer.send(published(frame)), 50));
    const client = new EventManagerClient(service.url);
    const publishing = client.publish(EVENT);
    const closing = client.close();
    await expect(client.publish(EVENT)).rejects.toMatchObject({ code: 'closed' });
    await expect(publishing).resolves.toMatchObject({ duplicate: false });
    await closing;
  });

  it.each([
    [{ ...EVENT, payload: { at: [1, Number.NaN] } }, 'invalid_event', '/payload/at/1'],
    [{ ...EVENT, id: 'x' }, 'invalid_event', '/id'],
    [{ ...EVENT, payload: { n: 1n } }, 'invalid_event', '/payload/n'],
    [{ ...EVENT, extra: 1 }, 'invalid_event', '/extra'],
    [null, 'invalid_event', ''],
  ])('refuses what JSON would lose: %s', async (event, code, pointer) => {
    const service = await SocketStandIn.start();
    const refused = clientOf(service).publish(event as never);
    await expect(refused).rejects.toMatchObject({ code, details: { pointer } });
    expect(service.frames).toEqual([]);
  });

  it('takes an id in every spelling', async () => {
    const service = await SocketStandIn.start((frame, peer) => peer.send(published(frame)));
    const event_id = '0198C0DE-0000-7000-8000-00000000000A';
    const event = { event_type: 'a', source: 'b', event_id };
    await expect(clientOf(service).publish(event as never)).resolves.toMatchObject({ id: event_id });
  });
});
