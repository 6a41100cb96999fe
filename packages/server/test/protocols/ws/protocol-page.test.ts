import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { call, runService } from '../../running-service.ts';
import { type Frame, WsClient } from './ws-client.ts';

const page = readFileSync(join(import.meta.dirname, '../../../../../docs/protocol.md'), 'utf8');
const examples = [...page.matchAll(/^```frames\n([\s\S]*?)^```/gm)].map(([, lines]) => lines!.trim().split('\n'));

/** What the page leaves out is not looked at; everything else has to be as it says. */
function shown(frame: Frame, pattern: Frame): Frame {
  if (pattern === '…') return '…';
  if (Array.isArray(pattern) && Array.isArray(frame)) return frame.map((entry, at) => shown(entry, pattern[at]));
  if (typeof pattern !== 'object' || pattern === null || typeof frame !== 'object') return frame;
  const names = '…' in pattern ? Object.keys(pattern) : Object.keys(frame);
  return Object.fromEntries(names.map((name) => [name, name === '…' ? '…' : shown(frame[name], pattern[name])]));
}

class Dialogue {
  readonly #url: string;
  readonly #client: WsClient;
  #next = 0;
  #id = '';

  constructor(url: string, client: WsClient) {
    this.#url = url;
    this.#client = client;
  }

  async play(line: string): Promise<void> {
    const [, who, text] = /^(\S+) (.*)$/.exec(line)!;
    if (who === '>') this.#client.send(text!.replace('"subscription":"…"', `"subscription":"${this.#id}"`));
    else if (who === '<') await this.#expect(JSON.parse(text!));
    else if (who === 'WS') await (await WsClient.open(this.#url)).send(text);
    else await this.#request(who!, text!);
  }

  async #expect(pattern: Frame): Promise<void> {
    const isNext = (frame: Frame) => frame.type === pattern.type;
    // Progress comes when it comes, with each second; it is expected where the page says so.
    const skip = () => {
      while (this.#client.frames[this.#next] && !isNext(this.#client.frames[this.#next])) {
        expect(['progress', 'hello']).toContain(this.#client.frames[this.#next++].type);
      }
      return this.#client.frames[this.#next];
    };
    await this.#client.until(() => skip() !== undefined);
    const frame = this.#client.frames[this.#next++];
    expect(shown(frame, pattern)).toEqual(pattern);
    if (frame.type === 'subscribed' && frame.subscription) this.#id = frame.subscription.id;
  }

  async #request(method: string, rest: string): Promise<void> {
    const [, path, body] = /^(\S+) (.*)$/.exec(rest)!;
    const headers = { 'content-type': 'application/json' };
    expect((await call(`${this.#url}${path}`, { method, headers, body: body! })).status).toBeLessThan(300);
  }
}

it.each(examples.map((lines) => [lines[0]!.slice(0, 60), lines] as const))(
  'works as the page shows: %s',
  async (_, lines) => {
    const { url } = await runService();
    const dialogue = new Dialogue(url, await WsClient.open(url));
    for (const line of lines) await dialogue.play(line);
  },
);

it('shows frames of every type', () => {
  const types = new Set([...page.matchAll(/"type":"([a-z]+)"/g)].map(([, type]) => type));
  const client = ['publish', 'stream', 'unstream', 'subscribe', 'unsubscribe', 'detach', 'ack', 'nack', 'ping'];
  const server = ['hello', 'published', 'streaming', 'event', 'gap', 'cursor', 'unstreamed', 'subscribed', 'delivery'];
  const more = ['progress', 'unsubscribed', 'detached', 'pong', 'error'];
  for (const type of [...client, ...server, ...more]) expect(types, type).toContain(type);
  expect(page).toContain('`release`');
});

/** The same for what the service dials: here the program that plays the page is the server. */
it.each([...page.matchAll(/^```dialled\n([\s\S]*?)^```/gm)].map(([, lines]) => lines!.trim().split('\n')))(
  'works as the page shows for a WebSocket that is dialled: %s',
  async (...lines) => {
    const { url } = await runService({ webhookAllow: ['loopback'] });
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    onTestFinished(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
    const frames: Frame[] = [];
    server.on('connection', (socket) => socket.on('message', (data) => frames.push(JSON.parse(String(data)))));
    const { port } = server.address() as AddressInfo;
    const subscription = { name: 'alarms', topic: 'alarm.*', endpoint: `ws://127.0.0.1:${port}/events` };
    const headers = { 'content-type': 'application/json' };
    const post = (path: string, body: string) => call(`${url}${path}`, { method: 'POST', headers, body });
    const made = await post('/subscriptions', JSON.stringify(subscription));
    expect(made.status).toBe(201);
    let next = 0;
    for (const line of lines) {
      const [, who, text] = /^(\S+) (.*)$/.exec(line)!;
      if (who === '>') for (const client of server.clients) client.send(text!);
      else if (who === 'POST') expect((await post('/events', text!.slice('/events '.length))).status).toBeLessThan(300);
      else {
        await expect.poll(() => frames.length).toBeGreaterThan(next);
        const pattern = JSON.parse(text!);
        expect(shown(frames[next++], pattern)).toEqual(pattern);
      }
    }
  },
);
