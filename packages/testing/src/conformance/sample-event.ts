import { Buffer } from 'node:buffer';
import type { Appendable, Appended, JsonValue, Lane } from '@event-manager/core';

export interface SampleFields {
  readonly id?: string;
  readonly topic?: string;
  readonly lane?: Lane;
  readonly flags?: number;
  readonly type?: string;
  readonly source?: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly userId?: string;
  readonly projectId?: string;
  readonly timestampMs?: number;
  readonly payload?: JsonValue;
}

/** All samples share one topic unless they say otherwise, hence one ordering key and one partition on every adapter. */
const SAMPLE_TOPIC = 'conformance/sample';

/** The id of the nth sample, with the random bits in front so that order of ids is not order of events. */
export function sampleId(n: number): string {
  const scattered = (Math.imul(n + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
  return `${scattered}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** The nth sample event: the body holds what the other fields say. */
export function sampleEvent(n: number, fields: SampleFields = {}): Appendable {
  const id = fields.id ?? sampleId(n);
  const topic = fields.topic ?? SAMPLE_TOPIC;
  const lane = fields.lane ?? 2;
  const type = fields.type ?? 'conformance.sample';
  const source = fields.source ?? 'conformance';
  const timestampMs = fields.timestampMs ?? 1_767_225_600_000 + n;
  const { correlationId, causationId, userId, projectId } = fields;
  const text = JSON.stringify({
    id,
    type,
    source,
    timestamp: new Date(timestampMs).toISOString(),
    version: '1.0',
    topic,
    priority: lane,
    metadata: { tags: [], retryCount: 0, maxRetries: 3, userId, projectId },
    payload: { n, value: fields.payload ?? null },
    correlationId,
    causationId,
  });
  const body = Buffer.from(text, 'utf8');
  const flags = fields.flags ?? 0;
  return { id, topic, lane, flags, type, source, correlationId, causationId, userId, projectId, timestampMs, body };
}

/** Samples `from`, `from` + 1, … */
export function sampleEvents(count: number, from = 0, fields: SampleFields = {}): Appendable[] {
  return Array.from({ length: count }, (_, i) => sampleEvent(from + i, fields));
}

type Stored = Extract<Appended, { status: 'stored' }>;

/** Narrows results that must all say `stored`. */
export function allStored(results: readonly Appended[]): readonly Stored[] {
  for (const result of results) {
    if (result.status !== 'stored') throw new TypeError(`Expected every event to be stored, not ${result.status}.`);
  }
  return results as readonly Stored[];
}
