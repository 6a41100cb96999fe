import type { EventHandler } from '@event-manager/core';
import { FaultProxy } from '@event-manager/testing';
import { expect, it, onTestFinished } from 'vitest';
import { answerSubscribing, delivery, described } from '../support/answer-subscribing.ts';
import { clientOf } from '../support/client-of.ts';
import { runService } from '../support/run-service.ts';
import { SocketStandIn } from '../support/socket-stand-in.ts';
import { until } from '../support/until.ts';

/** A subscriber whose connection to a real service breaks after it has answered `count` events. */
async function afterBreak(count: number, answer: ReturnType<EventHandler>) {
  const service = await runService();
  const proxy = await FaultProxy.start(service.url);
  onTestFinished(async () => {
    await proxy.close();
    await service.stop();
  });
  const [subscriber, other] = [clientOf(proxy), clientOf(service)];
  const handled: unknown[] = [];
  let isWell = false;
  const { id } = await subscriber.subscribe({
    name: 'n',
    topic: '#',
    handler({ payload }) {
      handled.push(payload['n']);
      return isWell ? undefined : answer;
    },
  });
  await other.publishBatch(Array.from({ length: count }, (_, n) => ({ type: 't', source: 's', payload: { n } })));
  const status = async () => (await other.getSubscription(id)).status;
  const members = async () => (await status()).members;
  await until('all are answered', async () => handled.length === count && (await status()).lag === 0);
  proxy.refuse(true);
  proxy.reset();
  await until('the service knows that it is gone', async () => (await members()) === 0);
  proxy.refuse(false);
  await until('it is attached again', async () => (await members()) === 1);
  isWell = true;
  return { other, id, handled: () => handled.splice(0), first: handled.splice(0) };
}

/** If it failed, the redrive would end as delivered by the answer that made the dead letter, and nobody would have handled it. */
it('handles what is redriven after a reconnect, with the payload as it was edited', async () => {
  const { other, id, handled, first } = await afterBreak(2, { success: false, retry: false });
  const letters = await other.listDeadLetters(id);
  expect(letters).toHaveLength(2);
  const [one, two] = letters;
  const open = async () => (await other.listDeadLetters(id, { state: 'open' })).length;
  const seen: unknown[] = [];
  await other.redrive({ id: one!.id });
  await until('it is handled', () => seen.push(...handled()) >= 1);
  await other.redrive({ id: two!.id, payload: { n: 'edited' } });
  await until('the edited one is handled', () => seen.push(...handled()) >= 2);
  expect(seen).toEqual([expect.toBeOneOf(first), 'edited']);
  expect(await open()).toBe(0);
});

/** If it failed, a projection that is built anew would lack what its process had handled before the connection broke. */
it('handles everything once more when the subscription is reset after a reconnect, as often as that is done', async () => {
  const { other, id, handled, first } = await afterBreak(5, undefined);
  expect(first).toEqual([0, 1, 2, 3, 4]);
  for (let time = 0; time < 2; time++) {
    await other.resetSubscription(id, { to: 'earliest' });
    const seen: unknown[] = [];
    await until('all are handled', () => seen.push(...handled()) >= 5);
    expect(seen).toEqual(first);
  }
});

/** If it failed, a service whose data was set up anew would be told that all is done which nobody did. */
it('handles everything of a named subscription that was made again while there was no connection', async () => {
  const makings = ['2026-11-20T08:00:00.000Z', '2026-11-20T08:00:00.000Z', '2026-11-20T09:00:00.000Z'];
  const service = await SocketStandIn.start((frame, peer) => {
    if (frame.type !== 'subscribe') return;
    const subscription = { ...described(frame, peer), createdAt: makings[peer.number - 1] };
    peer.send({ type: 'subscribed', ref: frame.ref, subscription });
  });
  const handled: string[] = [];
  await clientOf(service).subscribe({ name: 'n', topic: '#', handler: ({ id }) => void handled.push(id) });
  const seen: number[] = [];
  for (const at of makings.keys()) {
    await until('it is attached', () => service.of('subscribe').length === at + 1);
    service.peers[at]!.send(delivery('n', at + 1, 'e', at + 1));
    await until('it is answered', () => service.of('ack').length === at + 1);
    seen.push(handled.length);
    service.peers[at]!.cut();
  }
  expect(seen).toEqual([1, 1, 2]);
});

it('answers again without the handler only what comes again in the same life', async () => {
  const service = await SocketStandIn.start(answerSubscribing);
  const handled: string[] = [];
  await clientOf(service).subscribe({ name: 'n', topic: '#', handler: ({ id }) => void handled.push(id) });
  const acks = () => service.of('ack').flatMap(({ deliveries }) => deliveries);
  const lives = [undefined, undefined, '0.1', '0.1', '1.0'];
  for (const [at, life] of lives.entries()) {
    await until('it is attached', () => service.of('subscribe').length === at + 1);
    const frame = delivery('n', at + 1, 'e', at + 1) as { deliveries: object[] };
    const deliveries = frame.deliveries.map((entry) => ({ ...entry, ...(life ? { life } : {}) }));
    service.peers[at]!.send({ ...frame, deliveries });
    await until('it is answered', () => acks().length === at + 1);
    service.peers[at]!.cut();
  }
  expect(handled).toEqual(['e', 'e', 'e']);
  expect(acks()).toEqual([1, 2, 3, 4, 5]);
});
