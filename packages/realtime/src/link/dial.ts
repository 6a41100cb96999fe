import { type AddressGuard, guardedDialing, type ResolveAddresses } from '@event-manager/webhook';
import { type ClientOptions, WebSocket } from 'ws';
import { PROTOCOL } from '../frames/protocol.ts';

/** Answers list the numbers of deliveries, nothing else is expected: a peer that sends more has another purpose. */
const FRAME_BYTES_MAX = 256 * 1024;
const FRAGMENTS_MAX = 1_024;
const HEADER_BYTES_MAX = 16 * 1024;
/** A peer that said goodbye and does not hang up: nothing reaches it any more, and what is under way waits in vain. */
const CLOSE_MS = 1_000;

/** Frames of less are not worth the processor time; the small window keeps 40 KiB a connection instead of 300. */
const COMPRESSION = {
  threshold: 1_024,
  clientNoContextTakeover: true,
  serverNoContextTakeover: true,
  clientMaxWindowBits: 12,
  concurrencyLimit: 4,
  zlibDeflateOptions: { level: 3, memLevel: 5 },
};

export interface DialOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: boolean;
  readonly guard: AddressGuard;
  readonly resolve: ResolveAddresses;
}

/**
 * Begins a connection. Its address is judged when it is dialled, each time. A redirect is a failure: the next address would
 * be the receiver's choice. No agent: neither a proxy of the environment nor somebody's global agent gets between the guard
 * and the connection. Throws `endpoint_blocked`.
 */
export function dial({ url, headers, compression, guard, resolve }: DialOptions): WebSocket {
  const options: ClientOptions = {
    ...guardedDialing(url.hostname, { guard, resolve }),
    headers,
    followRedirects: false,
    maxHeaderSize: HEADER_BYTES_MAX,
    maxPayload: FRAME_BYTES_MAX,
    maxFragments: FRAGMENTS_MAX,
    closeTimeout: CLOSE_MS,
    perMessageDeflate: compression ? COMPRESSION : false,
  } as ClientOptions;
  return new WebSocket(url, [PROTOCOL], options);
}
