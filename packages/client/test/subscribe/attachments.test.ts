import { describe, expect, it } from 'vitest';
import { answerSubscribing, delivery, described } from '../support/answer-subscribing.ts';
import { clientOf } from '../support/client-of.ts';
import { published, SocketStandIn } from '../support/socket-stand-in.ts';
import { until } from '../support/until.ts';

const numbersOf = (service: SocketStandIn, type: string) => service.of(type).flatMap(({ deliveries }) => deliveries);

/** If one of these failed, a lost connection would cost events or make handlers run twice, and nobody would be told. */
describe('a subscription with a handler', () => {
  it('attaches again under its name after the connection was lost', async () => {
    const service = await SocketStandIn.start(answerSubscribing);
    const received: unknown[] = [];
    const { id } = await clientOf(service).subscribe({
      name: 'audit',
      topic: 'order.*',
      handler: (event, { attempt, subscriptionId }) => void received.push([event.id, attempt, subscriptionId]),
    });
    service.peers[0]!.cut();
    await until('it is attached again', () => service.of('subscribe').length === 2);
    const [first, second] = service.of('subscribe').map(({ subscription }) => subscription);
    expect(second).toMatchObject({ ...(first as object), name: 'audit', topic: 'order.*' });
    service.peers[1]!.send(delivery('audit', 1, 'e', 3));
    await until('it is acknowledged', () => numbersOf(service, 'ack').length === 1);
    expect(received).toEqual([['e', 3, id]]);
  });

  it('begins anew behind the last progress when it has no name, and keeps its id here', async () => {
    const service = await SocketStandIn.start(answerSubscribing);
    const ids: string[] = [];
    const { id } = await clientOf(service).subscribe({
      topic: '#',
      handler: (_event, { subscriptionId }) => void ids.push(subscriptionId),
    });
    service.peers[0]!.send({ type: 'progress', subscription: 'unnamed-1', cursor: 'c5' });
    service.peers[0]!.send(delivery('unnamed-1', 1, 'a'));
    await until('the first is handled', () => ids.length === 1);
    service.peers[0]!.cut();
    await until('it is made again', () => service.of('subscribe').length === 2);
    expect(service.of('subscribe')[1]).toMatchObject({ subscription: { options: { startFrom: { cursor: 'c5' } } } });
    service.peers[1]!.send(delivery('unnamed-2', 1, 'b'));
    await until('the second is handled', () => ids.length === 2);
    expect(ids).toEqual([id, id]);
  });

  it('does not handle again what it had handled when the answer was lost', async () => {
    const service = await SocketStandIn.start(answerSubscribing);
    const handled: string[] = [];
    await clientOf(service).subscribe({ name: 'n', topic: '#', handler: ({ id }) => void handled.push(id) });
    for (let life = 0; life < 3; life++) {
      await until('it is attached', () => service.of('subscribe').length === life + 1);
      service.peers[life]!.send(delivery('n', life + 7, 'e', life + 1));
      await until('it is answered', () => numbersOf(service, 'ack').length === life + 1);
      service.peers[life]!.cut();
    }
    expect(handled).toEqual(['e']);
    expect(numbersOf(service, 'ack')).toEqual([7, 8, 9]);
  });

  it('answers with what the handler says that ran when the connection was lost', async () => {
    const service = await SocketStandIn.start(answerSubscribing);
    let calls = 0;
    let end: (value: object) => void = () => {};
    await clientOf(service).subscribe({
      name: 'n',
      topic: '#',
      handler: () => {
        calls++;
        return new Promise((resolve) => {
          end = resolve as (value: object) => void;
        });
      },
    });
    service.peers[0]!.send(delivery('n', 1, 'e'));
    await until('it runs', () => calls === 1);
    service.peers[0]!.cut();
    await until('it is attached again', () => service.of('subscribe').length === 2);
    service.peers[1]!.send(delivery('n', 1, 'e', 2));
    await service.peers[1]!.taken();
    end({ success: false, retry: false, error: 'never' });
    await until('it is answered', () => service.of('nack').length === 1);
    expect(calls).toBe(1);
    expect(service.of('nack')[0]).toMatchObject({ deliveries: [1], retry: false, error: 'never' });
  });

  it('answers what was handled in one turn with one frame', async () => {
    const service = await SocketStandIn.start(answerSubscribing);
    await clientOf(service).subscribe({ name: 'n', topic: '#', handler() {} });
    const deliveries = Array.from(
      { length: 20 },
      (_, at) => (delivery('n', at, `e${at}`) as { deliveries: object[] }).deliveries[0],
    );
    service.peers[0]!.send({ type: 'delivery', subscription: 'n', deliveries });
    await until('all are answered', () => numbersOf(service, 'ack').length === 20);
    expect(service.of('ack')).toHaveLength(1);
  });

  it('is tried again when the service refuses for now, and fails when it goes on', async () => {
    const error = { code: 'not_ready', detail: 'Soon.', retryable: true, retryAfterMs: 20 };
    const service = await SocketStandIn.start((frame, peer) => {
      if (service.of('subscribe').length < 3) peer.send({ type: 'error', ref: frame.ref, error });
      else answerSubscribing(frame, peer);
    });
    await clientOf(service).subscribe({ topic: '#', handler() {} });
    service.onFrame = ({ ref }, peer) => peer.send({ type: 'error', ref, error });
    const refused = clientOf(service, { requestTimeoutMs: 1_500 }).subscribe({ topic: '#', handler() {} });
    await expect(refused).rejects.toMatchObject({ code: 'not_ready' });
  });

  it('is left again when the answer comes after nobody waits for it any more', async () => {
    const late: (() => void)[] = [];
    const service = await SocketStandIn.start((frame, peer) => {
      if (frame.type === 'subscribe') late.push(() => answerSubscribing(frame, peer));
      else answerSubscribing(frame, peer);
    });
    const client = clientOf(service, { requestTimeoutMs: 1_500 });
    const subscribing = client.subscribe({ name: 'n', topic: '#', handler() {} });
    await expect(subscribing).rejects.toMatchObject({ code: 'unreachable' });
    for (const answer of late) answer();
    await until('it is left', () => service.of('detach').length === 1);
  });

  it.each([
    ['taken_over', 'lease_lost'],
    ['ended', 'subscription_not_found'],
  ])('tells that it is over when the service says so, and does not come back: %s', async (reason, code) => {
    const service = await SocketStandIn.start((frame, peer) => {
      if (frame.type === 'publish') peer.send(published(frame));
      else answerSubscribing(frame, peer);
    });
    const errors: unknown[] = [];
    const client = clientOf(service, { onError: (error) => errors.push(error) });
    await client.subscribe({ name: 'n', topic: '#', handler() {} });
    service.peers[0]!.send({ type: 'detached', subscription: 'n', reason });
    await until('it is told', () => errors.length === 1);
    expect(errors).toMatchObject([{ code }]);
    service.peers[0]!.cut();
    // What needs a connection has one made; were the subscription wanted still, it would be asked for on it first.
    await client.publish({ type: 'a', source: 'b' });
    expect(service.of('subscribe')).toHaveLength(1);
  });

  it('tells that it is over when the service does not take it back', async () => {
    const service = await SocketStandIn.start((frame, peer) => {
      const error = { code: 'too_many_subscriptions', detail: 'No.', retryable: false };
      if (peer.number === 1) answerSubscribing(frame, peer);
      else peer.send({ type: 'error', ref: frame.ref, error });
    });
    const errors: unknown[] = [];
    await clientOf(service, { onError: (error) => errors.push(error) }).subscribe({ topic: '#', handler() {} });
    service.peers[0]!.cut();
    await until('it is told', () => errors.length === 1);
    expect(errors).toMatchObject([{ code: 'too_many_subscriptions' }]);
  });

  it('gives back what waits when it is unsubscribed, so that nobody waits for it', async () => {
    const service = await SocketStandIn.start(answerSubscribing);
    let calls = 0;
    const { unsubscribe } = await clientOf(service).subscribe({
      name: 'n',
      topic: '#',
      handler: () => {
        calls++;
        return new Promise(() => {});
      },
    });
    for (let number = 1; number <= 3; number++) service.peers[0]!.send(delivery('n', number, `e${number}`));
    await until('the first runs', () => calls === 1);
    await service.peers[0]!.taken();
    await unsubscribe();
    expect([...numbersOf(service, 'release')].sort()).toEqual([1, 2, 3]);
    expect(service.frames.findIndex(({ type }) => type === 'release')).toBeLessThan(
      service.frames.findIndex(({ type }) => type === 'unsubscribe'),
    );
    expect(calls).toBe(1);
  });

  it('lets a running handler end when the client is closed, and leaves', async () => {
    const service = await SocketStandIn.start(answerSubscribing);
    const client = clientOf(service, { drainMs: 5_000 });
    const [running, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await client.subscribe({
      name: 'n',
      topic: '#',
      async handler() {
        running.resolve();
        await ended.promise;
      },
    });
    service.peers[0]!.send(delivery('n', 1, 'e'));
    await running.promise;
    const closing = client.close();
    await until('it says that it leaves', () => service.of('detach').length === 1);
    ended.resolve();
    await closing;
    await until('it is left', () => service.of('ack').length === 1);
    // First that nothing more is sent here, then the answer.
    expect(service.frames.map(({ type }) => type)).toEqual(['subscribe', 'detach', 'ack']);
  });

  it('asks for as much time as all may need that are sent ahead, and keeps the time of one itself', async () => {
    const service = await SocketStandIn.start(answerSubscribing);
    const options = { timeout_ms: 100, retry: { maxRetries: 1 } };
    const { definition } = await clientOf(service).subscribe({
      name: 'n',
      topic: '#',
      options,
      handler: () => new Promise(() => {}),
    });
    expect(service.of('subscribe')[0]).toMatchObject({ subscription: { options: { timeoutMs: 3_300 } } });
    expect(definition.options.timeoutMs).toBe(100);
    service.peers[0]!.send(delivery('n', 1, 'e'));
    await until('it is refused', () => service.of('nack').length === 1);
    expect(service.of('nack')[0]).toMatchObject({ retry: true, error: 'No answer from the handler within 100 ms.' });
  });

  it('is described by what the service says', async () => {
    const service = await SocketStandIn.start(answerSubscribing);
    const { definition } = await clientOf(service).subscribe({ name: 'n', topic: '#', handler() {} });
    const frame = service.of('subscribe')[0]!;
    const { id, topic } = described(frame, service.peers[0]!);
    expect(definition).toMatchObject({ id, topic, createdAtMs: Date.parse('2026-11-20T08:00:00.000Z') });
  });
});
