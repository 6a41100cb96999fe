import { expect, it } from 'vitest';
import { call, runService } from '../../running-service.ts';
import { WsClient } from './ws-client.ts';

const PAGE = ['event-manager.page.v1'];
const publish = async (url: string, ...types: readonly string[]) => {
  const headers = { 'content-type': 'application/json' };
  for (const type of types) {
    await call(`${url}/events`, { method: 'POST', headers, body: JSON.stringify({ type, source: 'test' }) });
  }
};
const typesOf = (client: WsClient) => client.events.map(({ type }) => type);

async function openPage(url: string, search = ''): Promise<WsClient> {
  const client = new WsClient(url, PAGE, { search });
  await client.until(({ frames }) => frames.some(({ type }) => type === 'cursor'));
  return client;
}

it('sends a page everything until it first says what it wants', async () => {
  const { url } = await runService();
  const page = await openPage(url);
  expect(page.socket.protocol).toBe('event-manager.page.v1');
  expect(page.frames[0]).toMatchObject({ type: 'hello', protocol: 'event-manager.page.v1' });
  expect(page.frames[1]).toMatchObject({ type: 'cursor', stream: 'types', cursor: expect.any(String) });
  await publish(url, 'a', 'b');
  expect(await page.ask({ type: 'unsubscribe', eventTypes: ['b'] })).toMatchObject({
    eventTypes: ['#'],
    except: ['b'],
  });
  await publish(url, 'b', 'c');
  expect((await page.ask({ type: 'subscribe', eventTypes: ['b'] })).eventTypes).toEqual(['b']);
  await publish(url, 'c', 'b');
  await page.until(() => page.events.length === 4);
  expect(typesOf(page)).toEqual(['a', 'b', 'c', 'b']);
});

it('misses nothing for a page that comes back with its last cursor, in the address or in a frame', async () => {
  const { url } = await runService();
  const page = await openPage(url);
  await publish(url, 'a');
  await page.until(() => page.events.length === 1);
  const { cursor } = page.ofType('event').at(-1);
  await page.close();
  await publish(url, 'b', 'c');
  const again = await openPage(url, `?cursor=${cursor}`);
  await again.until(() => again.events.length === 2);
  expect(typesOf(again)).toEqual(['b', 'c']);
  const other = await WsClient.open(url);
  expect((await other.ask({ type: 'subscribe', eventTypes: ['c', 'd'], from: cursor })).eventTypes).toEqual(['c', 'd']);
  await publish(url, 'd');
  await other.until(() => other.events.length === 2);
  expect(typesOf(other)).toEqual(['c', 'd']);
  await other.ask({ type: 'subscribe', eventTypes: ['b'], from: cursor });
  await other.until(() => other.events.length === 5);
  expect(typesOf(other)).toEqual(['c', 'd', 'b', 'c', 'd']);
});

it('tells a page of a cursor that nobody made, and goes on from now', async () => {
  const { url } = await runService();
  const page = await openPage(url, '?cursor=nonsense');
  expect(page.frames[1]).toMatchObject({ type: 'error', error: { code: 'invalid_cursor' } });
  await publish(url, 'a');
  await page.until(() => page.events.length === 1);
  const { error } = await page.ask({ type: 'subscribe', eventTypes: ['b'], from: 'nonsense' });
  expect(error).toMatchObject({ code: 'invalid_cursor', pointer: '/from' });
  await publish(url, 'c');
  await page.until(() => page.events.length === 2);
});

it('holds what a page says in its address before the first event', async () => {
  const { url } = await runService();
  const page = await openPage(url);
  await publish(url, 'a', 'b', 'c');
  await page.until(() => page.events.length === 3);
  const again = await openPage(url, `?cursor=${page.frames[1].cursor}&eventTypes=a,c`);
  await publish(url, 'b', 'c');
  await again.until(() => again.events.length === 3);
  expect(typesOf(again)).toEqual(['a', 'c', 'c']);
  const wrong = await openPage(url, '?cursor=nonsense&eventTypes=a*');
  expect(wrong.ofType('error').map(({ error }) => error.code)).toEqual(['invalid_pattern', 'invalid_cursor']);
});

it('says nothing to whoever asked for nothing', async () => {
  const { url } = await runService();
  const client = await WsClient.open(url);
  await publish(url, 'a');
  await client.ask({ type: 'subscribe', eventTypes: ['a'] });
  await publish(url, 'a');
  await client.until(() => client.events.length > 0);
  expect(client.ofType('cursor')).toEqual([]);
  expect(client.events).toHaveLength(1);
});

it('moves the cursor of a page while nothing comes for it', async () => {
  const { url } = await runService({ wsHeartbeatMs: 100 });
  const page = await openPage(url);
  await page.ask({ type: 'subscribe', eventTypes: ['wanted'] });
  await publish(url, 'other');
  await page.until(() => page.ofType('cursor').at(-1).cursor !== page.frames[1].cursor);
});
