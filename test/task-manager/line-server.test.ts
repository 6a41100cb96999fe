/** The line protocol of the task manager over real sockets. What would break: one client that does not read fills the memory of all. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import type { LineContext } from '../../examples/task-manager/tcp/line-commands.ts';
import { type LineServerOptions, lineServer } from '../../examples/task-manager/tcp/line-server.ts';

const TASKS = Array.from({ length: 500 }, (_, n) => ({ id: `t-${n}`, title: 'x'.repeat(180) }));
const ASKED = 3_000;
/** What two kernels' buffers of one connection may hold, and something more. */
const BUFFERED_BYTES_MAX = 32 * 1_024 * 1_024;

const open: (Server | Socket)[] = [];
afterEach(() => {
  for (const each of open.splice(0)) 'destroy' in each ? each.destroy() : each.close();
});

async function start(options: LineServerOptions, taskService: Record<string, unknown> = {}) {
  let listed = 0;
  const snapshot = () => {
    listed++;
    return { tasks: TASKS };
  };
  const server = lineServer({ taskService, repository: { snapshot } } as unknown as LineContext, options);
  open.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, listed: () => listed };
}

async function client(server: Server): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  open.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** However it went: a socket that is reset tells an error before. */
const gone = (socket: Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()));

it('reads and answers no more while a client does not take its answers, and lets it go', {
  timeout: 60_000,
}, async () => {
  const { server, listed } = await start({ answerTakenMs: 500 });
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const socket = await client(server);
  const [held] = await accepted;
  socket.pause();
  socket.write('list\n'.repeat(ASKED));
  await once(held, 'close');
  expect(listed()).toBeGreaterThan(0);
  expect(listed() * JSON.stringify(TASKS).length).toBeLessThan(BUFFERED_BYTES_MAX);
});

it('answers everything, in order, to a client that reads late', { timeout: 60_000 }, async () => {
  const { server } = await start({});
  const socket = await client(server);
  socket.pause();
  const verbs = Array.from({ length: 600 }, (_, n) => (n % 2 === 0 ? 'list' : `as user${n}`));
  // All is sent, and the server waits for its client, before anything is read.
  socket.end(`${verbs.join('\n')}\n`);
  const answers: string[] = [];
  for await (const line of createInterface({ input: socket })) answers.push(line);
  expect(answers.map((line) => line.slice(0, 20))).toEqual(
    verbs.map((verb) => (verb === 'list' ? 'ok [{"id":"t-0","tit' : `ok {"user":"${verb.slice(3)}"}`.slice(0, 20))),
  );
});

it('answers a last line without an end, and what stands before quit', async () => {
  const { server } = await start({});
  const [first, second] = [await client(server), await client(server)];
  first.end('as ann\r\n\nas bob');
  expect(await text(first)).toBe('ok {"user":"ann"}\nok {"user":"bob"}\n');
  second.write(`as ann\nquit\n${'as bob\n'.repeat(1_000)}`);
  expect(await text(second)).toBe('ok {"user":"ann"}\nok "bye"\n');
});

it('takes no request of a browser, and no line without end', async () => {
  const { server } = await start({});
  const [page, endless] = [await client(server), await client(server)];
  let answered = '';
  page.on('data', (piece) => {
    answered += piece;
  });
  page.write('POST / HTTP/1.1\nas ann\n');
  await gone(page);
  expect(answered).toBe('');
  endless.write('x'.repeat(300 * 1_024));
  await gone(endless.resume());
});

it('ends at its signal: at once for whoever is idle, after the answer for whoever waits for one', async () => {
  const ending = new AbortController();
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const asked = Promise.withResolvers<void>();
  const deleteTask = () => {
    asked.resolve();
    return promise;
  };
  const { server } = await start({ signal: ending.signal }, { deleteTask });
  const [idle, waiting] = [await client(server), await client(server)];
  waiting.write('delete t-00000000\nas ann\n');
  await asked.promise;
  const closed = once(server, 'close');
  server.close();
  ending.abort();
  await gone(idle.resume());
  resolve({ gone: true });
  expect(await text(waiting)).toBe('ok {"gone":true}\n');
  await closed;
});
