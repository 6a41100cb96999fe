/**
 * Commands over TCP, one to a line, for scripts and for people with `nc`:
 *
 *     as ann                              ok {"user":"ann"}
 *     create {"title":"Paint the fence"}  ok {"id":"t-5f0c11aa",…}
 *     status t-5f0c11aa done              ok {…}
 *     status t-5f0c11aa gone              error invalid_input /status: Invalid option …
 *
 * Each line has one answer line, in order: `ok` and JSON, or `error`, a code and words. `ok` means that it is durable. A connection
 * sends its next command without waiting for the answer if it likes. Commands are carried out one after the other, and nothing is read
 * while one runs or its answer waits for the client: what is kept of a connection is one piece that was read, and one answer. Who does
 * not take that answer for half a minute is let go. `quit` ends it, and so does the end of the server: after the answer that is owed.
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { problemOf } from '../http/http-server.ts';
import { type LineContext, type LineSession, lineCommand } from './line-commands.ts';

const LINE_CHARACTERS_MAX = 256 * 1_024;
const CONNECTIONS_MAX = 100;
const ANSWER_TAKEN_MS = 30_000;
const ENDING_MS = 1_000;
/** A page may have its browser send a request here, whose body would be commands of its user. */
const REQUEST_LINE = /^\S+ \S+ HTTP\/\d/;

export interface LineServerOptions {
  readonly onFailure?: (error: unknown) => void;
  /** Ends the connections. `server.close()` alone waits for their clients, who may stay for days. */
  readonly signal?: AbortSignal;
  /** How long a client may leave an answer where it is. */
  readonly answerTakenMs?: number;
}

export function lineServer(context: LineContext, options: LineServerOptions = {}): Server {
  // Whoever sends its lines and an end wants the answers all the same.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    new Connection(socket, context, options).serve().catch(() => socket.destroy());
  });
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

class Connection {
  readonly #socket: Socket;
  readonly #context: LineContext;
  readonly #options: LineServerOptions;
  readonly #session: LineSession = { user: '' };
  readonly #ended = new AbortController();
  #isAnswering = false;

  constructor(socket: Socket, context: LineContext, options: LineServerOptions) {
    this.#socket = socket;
    this.#context = context;
    this.#options = options;
    const { signal } = options;
    const onEnd = () => this.#onServerEnd();
    signal?.addEventListener('abort', onEnd);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      signal?.removeEventListener('abort', onEnd);
      this.#ended.abort();
    });
  }

  async serve(): Promise<void> {
    const socket = this.#socket.setEncoding('utf8');
    let unfinished = '';
    // The iterator reads when it is asked for more, and must leave the socket open for the answers that are still on their way.
    for await (const text of socket.iterator({ destroyOnReturn: false })) {
      const lines = (unfinished + text).split('\n');
      unfinished = lines.pop()!;
      for (const line of lines) if (!(await this.#take(line))) return this.#finish();
      // A line that never ends would be kept until memory is full.
      if (unfinished.length > LINE_CHARACTERS_MAX) return void socket.destroy();
    }
    await this.#take(unfinished);
    this.#finish();
  }

  /** Whether more lines are taken. */
  async #take(line: string): Promise<boolean> {
    if (this.#isOver()) return false;
    if (line.trim() === '') return true;
    if (REQUEST_LINE.test(line)) {
      this.#socket.destroy();
      return false;
    }
    this.#isAnswering = true;
    const isLast = line.trim() === 'quit';
    await this.#write(isLast ? 'ok "bye"\n' : await this.#answer(line));
    this.#isAnswering = false;
    return !isLast && !this.#isOver();
  }

  async #answer(line: string): Promise<string> {
    try {
      return `ok ${JSON.stringify(await lineCommand(this.#context, this.#session, line))}\n`;
    } catch (error) {
      const { code, detail } = problemOf(error, this.#options.onFailure ?? (() => {}));
      return `error ${code} ${detail.replace(/\s+/g, ' ')}\n`;
    }
  }

  /** Resolves when the client has taken enough for another answer; throws when it does not, or is gone. */
  async #write(answer: string): Promise<void> {
    if (!this.#socket.writable || this.#socket.write(answer)) return;
    const late = AbortSignal.timeout(this.#options.answerTakenMs ?? ANSWER_TAKEN_MS);
    await once(this.#socket, 'drain', { signal: AbortSignal.any([late, this.#ended.signal]) });
  }

  /** What the client has sent and nobody will carry out is read away: to close with it unread would take back the last answers. */
  #finish(): void {
    const socket = this.#socket;
    socket.end();
    socket.resume();
    const withinMs = this.#options.signal?.aborted ? ENDING_MS : (this.#options.answerTakenMs ?? ANSWER_TAKEN_MS);
    const giveUp = setTimeout(() => socket.destroy(), withinMs);
    socket.once('close', () => clearTimeout(giveUp));
  }

  #onServerEnd(): void {
    if (!this.#isAnswering) this.#socket.destroySoon();
    const giveUp = setTimeout(() => this.#socket.destroy(), ENDING_MS);
    this.#socket.once('close', () => clearTimeout(giveUp));
  }

  #isOver(): boolean {
    return this.#socket.destroyed || (this.#options.signal?.aborted ?? false);
  }
}
