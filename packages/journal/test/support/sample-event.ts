import { createHash } from 'node:crypto';
import type { Appendable } from '@event-manager/core';

/** Event number `n`: always the same, its body about `bodyBytes` long. Every ninth followed from the one before it. */
export function sampleEvent(n: number, bodyBytes = 200): Appendable {
  const hex = createHash('md5').update(`event ${n}`).digest('hex');
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  const type = `kind${n % 7}.happened`;
  const topic = `area/${n % 5}/${n % 3}`;
  const correlationId = `flow-${Math.floor(n / 4)}`;
  const causationId = n % 9 === 0 ? `cause-${n - 1}` : undefined;
  const event = {
    id,
    type,
    source: 'test',
    topic,
    correlationId,
    causationId,
    metadata: {},
    payload: { n, padding: 'x'.repeat(bodyBytes) },
  };
  const body = Buffer.from(JSON.stringify(event));
  return { id, topic, lane: 2, flags: 0, type, source: 'test', correlationId, causationId, timestampMs: 0, body };
}

export function sampleEvents(count: number, from = 0, bodyBytes = 200): Appendable[] {
  return Array.from({ length: count }, (_, n) => sampleEvent(from + n, bodyBytes));
}
