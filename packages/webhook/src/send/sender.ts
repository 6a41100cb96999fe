import type { Readable } from 'node:stream';
import { Agent } from 'undici';
import type { AddressGuard } from '../address/address-guard.ts';
import { guardedConnector } from '../address/guarded-connector.ts';
import { dnsAddresses, type ResolveAddresses } from '../address/resolve-addresses.ts';

/** What a receiver may make us wait for, and keep. */
export interface SenderLimits {
  readonly connectTimeoutMs: number;
  /** From the end of our request to the end of the response's headers. */
  readonly headersTimeoutMs: number;
  /** Between two parts of the response's body. The whole attempt is bounded by the delivery's own timeout. */
  readonly bodyTimeoutMs: number;
  readonly headerBytesMax: number;
  /** Of a response no more is read than this; the rest is cut together with the connection. */
  readonly responseBytesMax: number;
  /** Connections to one origin, and so the requests to it that can be under way. */
  readonly connectionsMax: number;
  /** How long an unused connection stays open. */
  readonly idleMs: number;
}

const DEFAULT_SENDER_LIMITS: SenderLimits = Object.freeze({
  connectTimeoutMs: 5_000,
  headersTimeoutMs: 30_000,
  bodyTimeoutMs: 10_000,
  headerBytesMax: 16 * 1024,
  responseBytesMax: 64 * 1024,
  connectionsMax: 32,
  idleMs: 15_000,
});

export interface SenderOptions {
  readonly guard: AddressGuard;
  readonly limits?: Partial<SenderLimits>;
  readonly resolve?: ResolveAddresses;
}

export interface SentRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

export interface SentResponse {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** When the receiver says that it answered. */
  readonly date: string | undefined;
}

/** Posts to endpoints over pooled connections. One sender serves all webhooks of a process. */
export interface Sender {
  /** Resolves when the response is complete, or as much of it as is read. Rejects with errors of the network and of aborting. */
  post(request: SentRequest): Promise<SentResponse>;
  close(): Promise<void>;
}

/**
 * An agent of our own, so that neither a proxy of the environment nor somebody's global dispatcher gets between the guard
 * and the connection. Redirects are not followed: the next address would be the receiver's choice. Nothing is decompressed:
 * 172 bytes of brotli can be 100 MiB.
 */
export function webhookSender({ guard, limits: given, resolve = dnsAddresses() }: SenderOptions): Sender {
  const limits = { ...DEFAULT_SENDER_LIMITS, ...given };
  const agent = new Agent({
    connect: guardedConnector({ guard, resolve, connectTimeoutMs: limits.connectTimeoutMs }),
    connections: limits.connectionsMax,
    pipelining: 1,
    headersTimeout: limits.headersTimeoutMs,
    bodyTimeout: limits.bodyTimeoutMs,
    maxHeaderSize: limits.headerBytesMax,
    keepAliveTimeout: limits.idleMs,
    keepAliveMaxTimeout: limits.idleMs,
  });
  return {
    post: (request) => untilAborted(request.signal, postBy(agent, request, limits.responseBytesMax)),
    close: () => agent.destroy(),
  };
}

async function postBy(agent: Agent, request: SentRequest, responseBytesMax: number): Promise<SentResponse> {
  const { url, headers, body, signal } = request;
  const path = url.pathname + url.search;
  const response = await agent.request({ origin: url.origin, path, method: 'POST', headers, body, signal });
  await drain(response.body, responseBytesMax);
  const { 'retry-after': retryAfter, date } = response.headers;
  return { status: response.statusCode, retryAfter: textOf(retryAfter), date: textOf(date) };
}

/** A header that comes twice says nothing. */
function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

/** The client notices a signal only once it is connected: a request that waits for a connection would outlive its attempt. */
function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Reads to the end, so that the connection can be used again, or to the limit, and then gives the connection up. */
async function drain(body: Readable, bytesMax: number): Promise<void> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Uint8Array).length;
    // Leaving the loop destroys the stream and its connection.
    if (bytes > bytesMax) return;
  }
}
