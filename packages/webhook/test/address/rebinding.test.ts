import { systemRuntime } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { addressGuard } from '../../src/address/address-guard.ts';
import { dnsAddresses } from '../../src/address/resolve-addresses.ts';
import { webhookSender } from '../../src/send/sender.ts';
import { webhookSink } from '../../src/webhook-sink.ts';
import { type Answer, dnsServer } from '../dns-server.ts';
import { httpReceiver } from '../receiver.ts';
import { delivery, within } from '../sink-under-test.ts';

/** All of 127/8 is loopback: this one address stands for the public internet, 127.0.0.1 for the inside. */
const PUBLIC = '127.0.0.2';
const INSIDE = '127.0.0.1';

/** A public receiver and a canary inside that listen on the same port, and a name that resolves as `answer` says. */
async function scene(answer: (name: string, type: 'A' | 'AAAA') => Answer) {
  const receiver = await httpReceiver((_, response) => response.writeHead(200, { connection: 'close' }).end(), PUBLIC);
  const canary = await httpReceiver((_, response) => response.end(), INSIDE, receiver.port);
  const guard = addressGuard({ allow: [PUBLIC] });
  const sender = webhookSender({ guard, resolve: dnsAddresses(await dnsServer(answer)) });
  onTestFinished(() => sender.close());
  const endpoint = `http://rebinding.example:${receiver.port}/`;
  const sink = webhookSink({ endpoint, runtime: systemRuntime, guard, sender });
  const attempt = async () => (await sink.deliver([delivery('{}')], within(5000)))[0]!;
  return { receiver, canary, attempt };
}

it('dials only what it judged, over 1,000 connections to a name that answers differently each time', async () => {
  let asked = 0;
  const { receiver, canary, attempt } = await scene((_, type) => {
    if (type === 'AAAA') return {};
    asked += 1;
    return { a: [asked % 2 === 0 ? INSIDE : PUBLIC] };
  });
  const statuses = { delivered: 0, blocked: 0 };
  for (let n = 0; n < 1000; n++) {
    const outcome = await attempt();
    if (outcome.status === 'delivered') statuses.delivered += 1;
    else if ('error' in outcome && outcome.error?.code === 'endpoint_blocked') statuses.blocked += 1;
  }
  expect(canary.connections()).toBe(0);
  // One question per connection: nobody resolves a second time behind the check.
  expect(asked).toBe(1000);
  expect(statuses).toEqual({ delivered: 500, blocked: 500 });
  expect(receiver.connections()).toBe(500);
});

it.each<[string, Answer]>([
  ['a good and a bad address', { a: [PUBLIC, INSIDE] }],
  ['a bad and a good address', { a: [INSIDE, PUBLIC] }],
  ['an alias of a name inside', { cname: 'inside.example', a: [INSIDE] }],
  ['an IPv6 address alone', { aaaa: ['::1'] }],
  ['an IPv4 address inside an IPv6 address', { aaaa: ['::ffff:7f00:1'] }],
  ['a good IPv4 and a bad IPv6 address', { a: [PUBLIC], aaaa: ['::1'] }],
])('refuses a name that resolves to %s', async (_, answer) => {
  const { canary, receiver, attempt } = await scene(() => answer);
  expect(await attempt()).toMatchObject({ status: 'retry', error: { code: 'endpoint_blocked' } });
  expect(canary.connections() + receiver.connections()).toBe(0);
});

it('fails the attempt when the name has no address', async () => {
  const { attempt } = await scene(() => ({}));
  expect(await attempt()).toMatchObject({ status: 'retry', error: { code: 'name_not_resolved' } });
});
