import { once } from 'node:events';
import { request } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { call, postJson, runService } from '../../running-service.ts';

/** Only the status: a stream that is allowed does not end. `fetch` would not send headers that browsers keep to themselves. */
async function statusOf(url: string, method: string, headers: Record<string, string>): Promise<number | undefined> {
  const asked = request(url, { method, headers, agent: false });
  onTestFinished(() => void asked.destroy());
  asked.end();
  const [response] = await once(asked, 'response');
  return response.statusCode;
}

it('lets no other web page pause a subscription, which needs no body and so no leave of the browser', async () => {
  const { url } = await runService({ webhookAllow: ['loopback'] });
  const wanted = { name: 'n', topic: '#', endpoint: 'http://127.0.0.1:1/' };
  const { id } = (await postJson(`${url}/subscriptions`, wanted)).body;
  const foreign: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:5173' },
    { origin: `${url}.evil.example` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: url },
  ];
  for (const headers of foreign) {
    expect(await statusOf(`${url}/subscriptions/${id}/pause`, 'POST', headers), JSON.stringify(headers)).toBe(400);
    expect(await statusOf(`${url}/subscriptions/${id}`, 'DELETE', headers), JSON.stringify(headers)).toBe(400);
  }
  expect((await call(`${url}/subscriptions/${id}`)).body.state).toBe('active');
  const own = { origin: url, 'sec-fetch-site': 'same-origin' };
  expect(await statusOf(`${url}/subscriptions/${id}/pause`, 'POST', own)).toBe(200);
  expect(await statusOf(`${url}/subscriptions/${id}/resume`, 'POST', { 'sec-fetch-site': 'none' })).toBe(200);
});

it('gives no stream to another web page, but follows a link', async () => {
  const { url } = await runService();
  expect(await statusOf(`${url}/events/stream`, 'GET', { origin: 'https://evil.example' })).toBe(400);
  expect(await statusOf(`${url}/events/stream`, 'GET', { origin: url })).toBe(200);
  expect(await statusOf(`${url}/events`, 'GET', { 'sec-fetch-site': 'cross-site' })).toBe(200);
});

it('leaves the decision to whoever decides who gets in', async () => {
  const { url } = await runService({ allowUnauthenticated: true });
  expect(await statusOf(`${url}/events`, 'GET', { origin: 'https://console.example' })).toBe(200);
});
