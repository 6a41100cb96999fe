import type { Fallback, SubscriptionSink } from '@event-manager/core';

/** An address as anybody may see it: no secret, and of the headers and the query only the names, because they often carry a token. */
export interface DescribedAddress {
  readonly endpoint: string;
  /** True when what is sent is signed. */
  readonly signed: boolean;
  readonly headerNames: readonly string[];
}

/** How the events of a subscription leave, as anybody may see it. */
export interface DescribedWay extends Partial<DescribedAddress> {
  readonly connectionType: SubscriptionSink['kind'];
  /** How the connection is kept that the bus dials. */
  readonly connection?: Readonly<Record<string, unknown>>;
  /** The webhook that serves while nobody is connected. */
  readonly fallback?: DescribedAddress;
}

export function describeWay(sink: SubscriptionSink): DescribedWay {
  const { kind: connectionType } = sink;
  if (connectionType === 'pull') return { connectionType };
  if (connectionType === 'webhook') return { connectionType, ...describeAddress(sink) };
  const fallback = sink.fallback ? { fallback: describeAddress(sink.fallback) } : {};
  if (connectionType !== 'websocket') return { connectionType, ...fallback };
  const { heartbeatMs, reconnectAttempts, bufferSize, compression } = sink;
  const connection = { heartbeatMs, reconnectAttempts, bufferSize, compression };
  return { connectionType, ...describeAddress(sink), connection, ...fallback };
}

function describeAddress({ endpoint, secret, headers = {} }: Fallback): DescribedAddress {
  return {
    endpoint: withoutQueryValues(endpoint),
    signed: secret !== undefined,
    headerNames: Object.keys(headers),
  };
}

/** Written anew only where there is a query, so that what most people gave comes back as they gave it. */
function withoutQueryValues(endpoint: string): string {
  const url = URL.parse(endpoint);
  if (url === null || url.search === '') return endpoint;
  const names = url.search
    .slice(1)
    .split('&')
    .map((pair) => (pair.includes('=') ? `${pair.slice(0, pair.indexOf('='))}=***` : '***'));
  url.search = names.join('&');
  return url.href;
}
