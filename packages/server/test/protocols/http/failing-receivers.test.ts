import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { call, postJson, runService, sample } from '../../running-service.ts';

/** A receiver that answers as it is told now, and how often it was asked. */
async function changeableReceiver(answer: (response: ServerResponse) => void) {
  const receiver = { answer, asked: 0, endpoint: '' };
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      receiver.asked++;
      receiver.answer(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  receiver.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return receiver;
}

const status = (code: number, headers: Record<string, string> = {}) => {
  return (response: ServerResponse) => void response.writeHead(code, headers).end();
};

/** A service with a subscription, and how that is now. */
async function subscribed(answer: (response: ServerResponse) => void, options: object) {
  const receiver = await changeableReceiver(answer);
  const { url } = await runService({ webhookAllow: ['loopback'], systemEvents: true });
  const { body } = await postJson(`${url}/subscriptions`, { topic: 'order.*', endpoint: receiver.endpoint, options });
  const now = async () => (await call(`${url}/subscriptions/${body.id}`)).body;
  const publish = async (count: number) => {
    for (let n = 0; n < count; n++) await postJson(`${url}/events`, sample());
  };
  return { receiver, url, id: body.id as string, created: body, now, publish };
}

async function metric(url: string, line: RegExp): Promise<string | undefined> {
  const { text } = { text: await (await fetch(`${url}/metrics`)).text() };
  return text.split('\n').find((each) => line.test(each));
}

describe('a receiver that fails, seen over HTTP', () => {
  it('opens the breaker, which is shown, counted and told, and closed by who resumes', async () => {
    const breaker = { failure_threshold: 3, reset_timeout: 60_000 };
    const retry = { max_retries: 50, initial_delay: 1, max_delay: 1 };
    const { receiver, url, id, created, now, publish } = await subscribed(status(500), {
      circuit_breaker: breaker,
      retry,
    });
    expect(created.options.breaker).toEqual({ failures: 3, windowMs: 300_000, openMs: 60_000 });
    expect(created.status.receiver).toEqual({ breaker: 'closed', failuresInARow: 0 });
    await publish(1);
    await expect.poll(async () => (await now()).status.receiver.breaker).toBe('open');
    const { receiver: shown } = (await now()).status;
    expect(Date.parse(shown.attemptsAgainAt)).toBeGreaterThan(Date.now() + 50_000);
    expect(Date.parse(shown.failingSince)).toBeLessThanOrEqual(Date.now());
    expect(receiver.asked).toBe(3);
    expect(await metric(url, /^eventmanager_breakers\{state="open"\}/)).toMatch(/ 1$/);
    expect(await metric(url, /^eventmanager_breaker_opened_total/)).toMatch(/ 1$/);
    expect(await metric(url, /^eventmanager_subscription_breaker_state/)).toMatch(/ 2$/);
    const told = (await call(`${url}/events?topic=${encodeURIComponent('$sys/subscription/#')}`)).body.data;
    expect(told).toMatchObject([
      { topic: '$sys/subscription/breaker-opened', payload: { subscriptionId: id, code: 'http_500', failures: 3 } },
    ]);
    receiver.answer = status(200);
    const resumed = await postJson(`${url}/subscriptions/${id}/resume`, {});
    expect(resumed.body.status.receiver).toEqual({ breaker: 'closed', failuresInARow: 0 });
    await expect.poll(async () => (await now()).status.counts.delivered).toBe(1);
    // Nothing is wrong with the service itself.
    expect((await call(`${url}/readyz`)).status).toBe(200);
  });

  it('says why it was stopped, and no longer once it was resumed', async () => {
    const { receiver, url, id, now, publish } = await subscribed(status(410), {});
    await publish(1);
    await expect.poll(async () => (await now()).state).toBe('stopped');
    const { stoppedReason } = await now();
    expect(stoppedReason).toMatchObject({ code: 'http_410', message: expect.stringContaining('410') });
    expect(Date.parse(stoppedReason.at)).toBeLessThanOrEqual(Date.now());
    expect(await metric(url, /^eventmanager_subscriptions_stopped_total\{reason="gone"\}/)).toMatch(/ 1$/);
    expect(await metric(url, /^eventmanager_stopped_subscriptions /)).toMatch(/ 1$/);
    receiver.answer = status(200);
    const { body } = await postJson(`${url}/subscriptions/${id}/resume`, {});
    expect(body.state).toBe('active');
    expect(await metric(url, /^eventmanager_stopped_subscriptions /)).toMatch(/ 0$/);
    expect(body).not.toHaveProperty('stoppedReason');
  });

  it('gets nothing before the end of the pause that it asked for', async () => {
    const answer = status(429, { 'retry-after': '2' });
    const { receiver, now, publish } = await subscribed(answer, { maxConcurrency: 1, retryPolicy: { maxRetries: 0 } });
    await publish(3);
    await expect.poll(() => receiver.asked).toBe(1);
    await expect.poll(async () => (await now()).status.receiver.attemptsAgainAt).toBeDefined();
    const askedAtMs = performance.now();
    receiver.answer = status(200);
    await expect.poll(() => receiver.asked, { timeout: 10_000, interval: 10 }).toBeGreaterThan(1);
    expect(performance.now() - askedAtMs).toBeGreaterThan(1_500);
    await expect
      .poll(async () => (await now()).status.counts)
      .toMatchObject({ delivered: 3, deadLettered: 0, failed: 0 });
  });

  it('is disabled after nothing but failures for as long as the options say', async () => {
    const retryPolicy = { maxRetries: 1_000, backoffStrategy: 'fixed', initialDelay: 50, maxDelay: 50 };
    const options = { disable_after: 500, breaker: false, retryPolicy };
    const { url, now, publish } = await subscribed(status(500), options);
    await publish(1);
    await expect.poll(async () => (await now()).state, { timeout: 10_000 }).toBe('stopped');
    expect((await now()).stoppedReason).toMatchObject({ code: 'failing' });
    expect(await metric(url, /^eventmanager_subscriptions_stopped_total\{reason="failing"\}/)).toMatch(/ 1$/);
    const told = (await call(`${url}/events?topic=${encodeURIComponent('$sys/subscription/#')}`)).body.data;
    const topics = told.map(({ topic }: { topic: string }) => topic);
    expect(topics).toEqual(['$sys/subscription/failing', '$sys/subscription/disabled']);
  });
});
