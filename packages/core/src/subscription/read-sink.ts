/**
 * How a subscription's events leave the bus, as its request says it:
 *
 * | given | sink |
 * |---|---|
 * | `handler` | handler |
 * | `endpoint` http: | webhook |
 * | `endpoint` http:, `realtime: true` | sockets that attach to its name; the endpoint is the fallback |
 * | `endpoint` ws: | websocket, which we dial |
 * | `realtime: true`, `fallbackWebhook` | sockets that attach to its name |
 * | nothing of these | pull, or a socket when it came through one |
 *
 * `fallbackWebhook` goes beside a handler, a socket and a websocket. It and `realtime` may stand among the options, too.
 */
import { EventManagerError } from '../errors/event-manager-error.ts';
import { type ReadFields, readFields } from '../json/read-fields.ts';
import type { Limits } from '../limits.ts';
import { parseRealtime, refuseRealtime } from './options/realtime-options.ts';
import { type Address, readAddress, readEndpoint } from './read-address.ts';
import type { Fallback, SubscriptionSink } from './subscription.ts';
import { FALLBACK_FIELDS, OPTION_FIELDS } from './subscription-fields.ts';

const CODE = 'invalid_subscription';

export function readSink(fields: ReadFields, limits: Limits, through?: 'socket'): SubscriptionSink {
  const given = fields.get('options') ?? {};
  const options = readFields(given, OPTION_FIELDS, { code: CODE, pointer: fields.pointer('options') });
  const reader = new SinkReader(fields, options, limits);
  const sink = through === 'socket' ? reader.socket() : reader.sink();
  if (sink.kind !== 'websocket') refuseRealtime(options);
  checkConnectionType(fields, sink);
  return sink;
}

class SinkReader {
  readonly #fields: ReadFields;
  readonly #options: ReadFields;
  readonly #limits: Limits;

  constructor(fields: ReadFields, options: ReadFields, limits: Limits) {
    this.#fields = fields;
    this.#options = options;
    this.#limits = limits;
  }

  sink(): SubscriptionSink {
    const handler = this.#fields.get('handler');
    const endpoint = this.#fields.get('endpoint');
    if (endpoint !== undefined) {
      if (handler === undefined) return this.#endpoint(endpoint);
      throw invalid('A subscription has a handler or an endpoint, not both.', this.#fields.pointer('handler'));
    }
    if (handler !== undefined && typeof handler !== 'function') {
      throw invalid('A handler is a function.', this.#fields.pointer('handler'));
    }
    const fallback = this.#fallback();
    if (handler) return { kind: 'handler', ...fallback };
    if (fallback.fallback) return { kind: 'socket', ...fallback };
    if (this.#realtime() === undefined) return { kind: 'pull' };
    const words = 'realtime needs a handler, an endpoint or a fallbackWebhook.';
    throw invalid(words, this.#place('realtime').pointer('realtime'));
  }

  /** Whoever subscribes through a socket is the receiver, so an address of another one contradicts it. */
  socket(): SubscriptionSink {
    for (const name of ['handler', 'endpoint']) {
      if (this.#fields.get(name) === undefined) continue;
      throw invalid(`A subscription through a socket has no ${name}.`, this.#fields.pointer(name));
    }
    return { kind: 'socket', ...this.#fallback() };
  }

  #endpoint(given: unknown): SubscriptionSink {
    const address = readAddress(this.#fields, this.#limits, given);
    const isWebSocket = /^wss?:/i.test(address.endpoint);
    const realtime = this.#realtime();
    if (isWebSocket) {
      if (realtime === false) throw this.#contradiction('A WebSocket endpoint is realtime.', 'realtime');
      const fallback = this.#readFallback(address.secret);
      return { kind: 'websocket', ...address, ...parseRealtime(this.#options), ...fallback };
    }
    if (realtime === true) return { kind: 'socket', fallback: this.#sameFallback(address) };
    if (this.#get('fallbackWebhook') === undefined || this.#get('fallbackWebhook') === false) {
      return { kind: 'webhook', ...address };
    }
    throw this.#contradiction('A webhook has a fallbackWebhook only with realtime: true.', 'fallbackWebhook');
  }

  /** Of an endpoint that is the fallback itself; naming it once more is harmless. */
  #sameFallback(address: Address): Fallback {
    const given = this.#get('fallbackWebhook');
    if (given === undefined || given === address.endpoint) return address;
    throw this.#contradiction('The endpoint is the fallback already; name one of them.', 'fallbackWebhook');
  }

  /** Beside a handler or socket, where `secret` and `headers` can only be meant for the fallback. */
  #fallback(): { fallback?: Fallback } {
    const given = this.#get('fallbackWebhook');
    const secret = this.#fields.get('secret');
    const headers = this.#fields.get('headers');
    if (given === undefined || given === false) {
      for (const name of ['secret', 'headers']) {
        if (this.#fields.get(name) === undefined) continue;
        throw invalid(`${name} needs an endpoint.`, this.#fields.pointer(name));
      }
      return {};
    }
    if (this.#realtime() === false) throw this.#contradiction('A fallback is for what is realtime.', 'fallbackWebhook');
    if (typeof given === 'object') {
      if (secret === undefined && headers === undefined) return this.#readFallback(undefined);
      const name = secret === undefined ? 'headers' : 'secret';
      throw invalid(`Of a fallbackWebhook that is an object ${name} stands in it.`, this.#fields.pointer(name));
    }
    const endpoint = this.#readWebhook(given, this.#place('fallbackWebhook').pointer('fallbackWebhook'));
    return { fallback: { ...readAddress(this.#fields, this.#limits, endpoint), endpoint } };
  }

  /** A text takes the secret of the endpoint along: the two lead to one receiver. Headers may hold a credential of one address. */
  #readFallback(secret: string | undefined): { fallback?: Fallback } {
    const given = this.#get('fallbackWebhook');
    if (given === undefined || given === false) return {};
    const pointer = this.#place('fallbackWebhook').pointer('fallbackWebhook');
    if (typeof given !== 'object') {
      const endpoint = this.#readWebhook(given, pointer);
      return { fallback: { endpoint, ...(secret === undefined ? {} : { secret }) } };
    }
    const fields = readFields(given, FALLBACK_FIELDS, { code: CODE, pointer });
    const endpoint = this.#readWebhook(fields.get('endpoint'), fields.pointer('endpoint'));
    return { fallback: { ...readAddress(fields, this.#limits, endpoint), endpoint } };
  }

  #readWebhook(given: unknown, pointer: string): string {
    const endpoint = readEndpoint(given, this.#limits, pointer);
    if (/^https?:/i.test(endpoint)) return endpoint;
    throw new EventManagerError('invalid_endpoint', 'A fallback is a webhook: http or https.', { pointer });
  }

  #realtime(): boolean | undefined {
    const given = this.#get('realtime');
    if (given === undefined || typeof given === 'boolean') return given;
    throw invalid('true or false is expected.', this.#place('realtime').pointer('realtime'));
  }

  #get(name: 'realtime' | 'fallbackWebhook'): unknown {
    return this.#place(name).get(name);
  }

  /** Where it is given: in the request or among its options, not in both. */
  #place(name: string): ReadFields {
    if (this.#options.get(name) === undefined) return this.#fields;
    if (this.#fields.get(name) === undefined) return this.#options;
    throw invalid(`${name} is given twice, here and among the options.`, this.#fields.pointer(name));
  }

  #contradiction(words: string, name: string): EventManagerError {
    return invalid(words, this.#place(name).pointer(name));
  }
}

function checkConnectionType(fields: ReadFields, sink: SubscriptionSink): void {
  const given = fields.get('connectionType');
  if (given === undefined || given === sink.kind) return;
  if (given === 'websocket' && sink.kind === 'socket') return;
  // An endpoint that serves while no socket is there.
  if (given === 'webhook' && sink.kind === 'socket' && sink.fallback) return;
  const pointer = fields.pointer('connectionType');
  if (given === 'sse' || given === 'grpc') {
    throw new EventManagerError('not_supported', `${given} connections are not supported yet.`, { pointer });
  }
  throw invalid('The connection type contradicts the endpoint or handler, or is unknown.', pointer);
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError(CODE, message, { pointer });
}
