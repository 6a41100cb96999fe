import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Service } from '@event-manager/server';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { EventManagerClient } from '../src/index.ts';
import { browserBundle } from './support/browser-bundle.ts';
import { findChromium } from './support/chromium.ts';
import { runService } from './support/run-service.ts';

const PAGE = `<!doctype html><title>A page</title>
<script type="module">import { EventManagerClient } from '/client.js'; globalThis.Client = EventManagerClient;</script>`;

/** What the page has, and what a visit leaves for the next. */
interface PageGlobals {
  Client: typeof EventManagerClient;
  events: EventManagerClient;
  received: string[];
}

const chromium = findChromium();
if ('missing' in chromium && process.env['CI']) {
  throw new TypeError(`The browser test must run in CI: ${chromium.missing}.`);
}
if ('missing' in chromium) process.stderr.write(`Skipped, the client in a browser: ${chromium.missing}.\n`);

/** Node's fetch and WebSocket are not a browser's: what works in one may fail in the other. */
describe.skipIf('missing' in chromium)('the client in a browser', () => {
  let browser: Browser;
  let bundle: string;

  beforeAll(async () => {
    bundle = await browserBundle();
    const { path } = chromium as { path: string };
    browser = await puppeteer.launch({ executablePath: path, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  });
  afterAll(async () => browser?.close());

  /** A page of an origin of its own, and that origin. */
  async function openPage(): Promise<{ page: Page; origin: string }> {
    const server = createServer(({ url }, response) => {
      const isCode = url === '/client.js';
      response.writeHead(200, { 'content-type': isCode ? 'text/javascript' : 'text/html' });
      response.end(isCode ? bundle : PAGE);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const page = await browser.newPage();
    onTestFinished(async () => {
      await page.close();
      server.closeAllConnections();
      server.close();
    });
    await page.goto(origin);
    await page.waitForFunction('globalThis.Client !== undefined');
    return { page, origin };
  }

  it('publishes, handles, streams and asks from a page of an allowed origin, through a restart', async () => {
    const { page, origin } = await openPage();
    const dataDir = mkdtempSync(join(tmpdir(), 'event-manager-browser-'));
    const settings = { adapter: 'journal', dataDir, allowedOrigins: [origin] } as const;
    let service = await runService(settings);
    onTestFinished(async () => {
      await service.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });
    const before = await page.evaluate(useClient, service.url);
    expect(before).toMatchObject({ handled: 'hello', streamed: 'hello', found: 'hello', refused: 'event_not_found' });

    service = await restart(service, settings);
    const after = await page.evaluate(publishAgain);
    expect(after).toEqual(['hello', 'again']);
  });

  it('gets nothing on a page of any other origin', async () => {
    const { page } = await openPage();
    const service = await runService({ allowedOrigins: ['http://127.0.0.1:1'] });
    onTestFinished(() => service.stop());
    expect(await page.evaluate(tryClient, service.url)).toEqual(['unreachable', 'unreachable']);
    const answer = await fetch(`${service.url}/events`);
    expect(await answer.json()).toMatchObject({ data: [] });
  });
});

/** Runs in the page: everything it needs it is given. */
async function useClient(url: string) {
  const page = globalThis as unknown as PageGlobals;
  const events = new page.Client(url);
  const received: string[] = [];
  Object.assign(page, { events, received });
  const stream = await events.stream();
  const handled = new Promise<string>((resolve) => {
    void events.subscribe({
      topic: 'page.*',
      handler: ({ payload }) => {
        received.push(String(payload['text']));
        resolve(String(payload['text']));
      },
    });
  });
  await events.listSubscriptions();
  const { id } = await events.publish({ type: 'page.opened', source: 'page', payload: { text: 'hello' } });
  const [frame] = await stream.next();
  const found = await events.getEvent(id);
  const refused = await events.getEvent('nobody').catch((error: { code: string }) => error.code);
  return {
    handled: await handled,
    streamed: frame?.kind === 'event' && frame.event.payload['text'],
    found: found.payload['text'],
    refused,
  };
}

/** Runs in the page, after the service was away. */
async function publishAgain() {
  const { events, received } = globalThis as unknown as PageGlobals;
  await events.publish({ type: 'page.opened', source: 'page', payload: { text: 'again' } });
  while (received.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  return received;
}

/** Runs in a page that nobody allowed. */
async function tryClient(url: string) {
  const { Client } = globalThis as unknown as PageGlobals;
  const events = new Client(url, { publishTimeoutMs: 1_500, requestTimeoutMs: 500 });
  const codeOf = (error: { code: string }) => error.code;
  return [
    await events.publish({ type: 'page.opened', source: 'page' }).then(() => 'stored', codeOf),
    await events.getEvents().then(() => 'found', codeOf),
  ];
}

async function restart(service: Service, settings: Parameters<typeof runService>[0]): Promise<Service> {
  const { port } = new URL(service.url);
  await service.stop();
  return runService({ ...settings, port: Number(port) });
}
