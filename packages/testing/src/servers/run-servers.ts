/*
 * The servers that all tests of a run share: one PostgreSQL and one Redis, started when the first test asks and not before, so that
 * a run without such tests pays nothing.
 *
 * Tests run in several processes, and who asks first must not matter. One process decides: the one that called `openRun`
 * (`scripts/services.ts`, which vitest starts before its workers). It holds each server as a promise that is made once, so
 * there is no lock to take and none to be left behind. It answers the others over HTTP on a port of this machine; where it
 * listens and the secret that must be known to ask are in the environment under TEST_SERVERS, which children inherit. A
 * process that finds no such variable (a benchmark, a program run by hand) opens a run of its own when it first asks.
 *
 * A server that could not be found is remembered as well, with the reason: everybody gets the same answer. When the run ends
 * by `close`, the servers end. When it ends in any other way, the guards of their folders end them (`server-folder.ts`).
 */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FoundServer, findServer, SERVER_KINDS, type ServerKind } from './find-server.ts';
import { randomName } from './random-name.ts';
import { ServerError } from './server-error.ts';

const VARIABLE = 'TEST_SERVERS';

/** What a run tells those who ask. */
export type SharedServer = { readonly url: string } | { readonly missing: string };

export interface ServerRun {
  /** Where to ask; the value of TEST_SERVERS. */
  readonly url: string;
  /** Ends what was started. */
  close(): Promise<void>;
}

/** Makes this process the one that starts servers, for itself and for every process that it starts from now on. */
export async function openRun(): Promise<ServerRun> {
  const found = new Map<ServerKind, Promise<FoundServer>>();
  const secret = randomName();
  const http = createServer((request, response) => {
    const [, given, kind] = (request.url ?? '').split('/');
    if (given !== secret || !isKind(kind)) return void response.writeHead(404).end();
    if (!found.has(kind)) found.set(kind, findServer(kind));
    void answer(found.get(kind)!, response);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  http.unref();
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/${secret}`;
  process.env[VARIABLE] = url;
  return {
    url,
    async close() {
      delete process.env[VARIABLE];
      await stopListening(http);
      for (const server of await Promise.allSettled(found.values())) {
        if (server.status === 'fulfilled') await server.value.close();
      }
    },
  };
}

let ownRun: Promise<ServerRun> | undefined;

/** The url of the run's server of this kind, or why there is none. With `CI` set a missing server is an error. */
export async function sharedServer(kind: ServerKind): Promise<SharedServer> {
  if (process.env[VARIABLE] === undefined) await (ownRun ??= openRun());
  const response = await fetch(`${process.env[VARIABLE]}/${kind}`);
  const answered = (await response.json()) as SharedServer | { readonly failed: string };
  if ('failed' in answered) throw new ServerError(answered.failed);
  if ('missing' in answered && process.env['CI']) throw new ServerError(`Must run in CI: ${answered.missing}`);
  return answered;
}

async function answer(asked: Promise<FoundServer>, response: ServerResponse): Promise<void> {
  const body = await asked.then(
    ({ url, missing }) => (url === undefined ? { missing } : { url }),
    (error: unknown) => ({ failed: String(error) }),
  );
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
}

function isKind(text: string | undefined): text is ServerKind {
  return SERVER_KINDS.some((kind) => kind === text);
}

async function stopListening(http: Server): Promise<void> {
  const closed = once(http, 'close');
  http.close();
  http.closeAllConnections();
  await closed;
}
