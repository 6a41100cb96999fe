/**
 * Commands over TCP, one to a line, for scripts and for people with `nc`:
 *
 *     as ann                              ok {"user":"ann"}
 *     create {"title":"Paint the fence"}  ok {"id":"t-5f0c11aa",…}
 *     status t-5f0c11aa done              ok {…}
 *     status t-5f0c11aa gone              error invalid_input /status: Invalid option …
 *
 * Each line has one answer line, in order: `ok` and JSON, or `error`, a code and words. `ok` means that it is durable. A connection
 * sends its next command without waiting for the answer if it likes; no more are read while sixteen wait. `quit` ends it.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { problemOf } from '../http/http-server.ts';
import { type LineContext, lineCommand } from './line-commands.ts';

const LINE_CHARACTERS_MAX = 256 * 1_024;
const WAITING_MAX = 16;
const CONNECTIONS_MAX = 100;
/** A page may have its browser send a request here, whose body would be commands of its user. */
const REQUEST_LINE = /^\S+ \S+ HTTP\/\d/;

export function lineServer(context: LineContext, onFailure: (error: unknown) => void): Server {
  // Whoever sends its lines and an end wants the answers all the same.
  const server = createServer({ allowHalfOpen: true }, (socket) => serve(socket, context, onFailure));
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

function serve(socket: Socket, context: LineContext, onFailure: (error: unknown) => void): void {
  const session = { user: '' };
  let waiting = 0;
  let unfinished = 0;
  let hasEnded = false;
  let turn = Promise.resolve();
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  // A line that never ends would be kept until memory is full.
  socket.on('data', (text: string) => {
    const end = text.lastIndexOf('\n');
    unfinished = end < 0 ? unfinished + text.length : text.length - end - 1;
    if (unfinished > LINE_CHARACTERS_MAX) socket.destroy();
  });
  const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY });
  const answer = async (line: string) => {
    if (!socket.writable) return;
    try {
      socket.write(`ok ${JSON.stringify(await lineCommand(context, session, line))}\n`);
    } catch (error) {
      const { code, detail } = problemOf(error, onFailure);
      socket.write(`error ${code} ${detail.replace(/\s+/g, ' ')}\n`);
    }
    // What has ended cannot be taken up again, and need not be.
    if (--waiting === WAITING_MAX - 1 && !hasEnded) lines.resume();
  };
  lines.on('line', (line) => {
    if (line.trim() === '' || socket.destroyed) return;
    if (REQUEST_LINE.test(line)) {
      socket.destroy();
      return;
    }
    if (++waiting >= WAITING_MAX) lines.pause();
    turn = turn.then(async () => {
      if (line.trim() === 'quit') socket.end('ok "bye"\n');
      else await answer(line);
    });
  });
  lines.on('error', () => socket.destroy());
  lines.on('close', () => {
    hasEnded = true;
    void turn.then(() => socket.end());
  });
}
