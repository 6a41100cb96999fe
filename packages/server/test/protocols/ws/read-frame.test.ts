import { DEFAULT_LIMITS } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { parseBounded } from '../../../src/protocols/http/parse-bounded.ts';
import { readFrame, UnreadableFrame } from '../../../src/protocols/ws/read-frame.ts';

const read = (text: string) => readFrame(Buffer.from(text), DEFAULT_LIMITS);

function refusal(text: string) {
  const frame = read(text);
  if (!(frame instanceof UnreadableFrame)) return 'read';
  const { code, details } = frame.error;
  return { code, pointer: details['pointer'], ...(frame.ref === undefined ? {} : { ref: frame.ref }) };
}

describe('readFrame', () => {
  const readable = [
    { type: 'publish', ref: 1, event: { type: 'a' } },
    { type: 'publish', ref: 'a', event: 'whatever: the event is judged where it is published' },
    { type: 'publish', ref: 1, events: [{}, 1] },
    { type: 'stream', ref: 1 },
    { type: 'stream', ref: 0, topics: ['#'], filter: {}, from: 'latest' },
    { type: 'unstream', ref: -1, stream: 's1' },
    { type: 'subscribe', ref: 1, subscription: {} },
    { type: 'subscribe', eventTypes: ['a'] },
    { type: 'subscribe', ref: 1, eventTypes: [] },
    { type: 'unsubscribe', ref: 1, subscription: 'id' },
    { type: 'unsubscribe', eventTypes: ['a'] },
    { type: 'detach', ref: 1, subscription: 'id' },
    { type: 'ack', deliveries: [1, 2] },
    { type: 'release', deliveries: [] },
    { type: 'nack', deliveries: [1], retry: false, error: 'no', afterMs: 5, metadata: { shelf: 7 } },
    { type: 'ping' },
  ];
  it.each(readable)('reads $type: %j', (frame) => {
    expect(read(JSON.stringify(frame))).toEqual(frame);
  });

  const refused: [string, object][] = [
    ['', { code: 'invalid_json', pointer: '' }],
    ['{"type":"ping"', { code: 'invalid_json', pointer: '' }],
    ['[]', { code: 'invalid_request', pointer: '' }],
    ['null', { code: 'invalid_request', pointer: '' }],
    ['{}', { code: 'invalid_request', pointer: '/type' }],
    ['{"type":1}', { code: 'invalid_request', pointer: '/type' }],
    ['{"type":"constructor","ref":7}', { code: 'invalid_request', pointer: '/type', ref: 7 }],
    ['{"type":"publish","event":{}}', { code: 'invalid_request', pointer: '/ref' }],
    ['{"type":"publish","ref":1}', { code: 'invalid_request', pointer: '/event', ref: 1 }],
    ['{"type":"publish","ref":1,"events":{}}', { code: 'invalid_request', pointer: '/events', ref: 1 }],
    ['{"type":"publish","ref":1,"event":{},"events":[]}', { code: 'invalid_request', pointer: '/event', ref: 1 }],
    ['{"type":"publish","ref":1.5,"event":{}}', { code: 'invalid_request', pointer: '/ref' }],
    ['{"type":"publish","ref":null,"event":{}}', { code: 'invalid_request', pointer: '/ref' }],
    [`{"type":"publish","ref":"${'x'.repeat(65)}","event":{}}`, { code: 'invalid_request', pointer: '/ref' }],
    ['{"type":"ping","mood":"good"}', { code: 'invalid_request', pointer: '/mood' }],
    ['{"type":"stream","ref":1,"topics":"#"}', { code: 'invalid_request', pointer: '/topics', ref: 1 }],
    ['{"type":"stream","ref":1,"topics":[1]}', { code: 'invalid_request', pointer: '/topics', ref: 1 }],
    ['{"type":"stream","ref":1,"from":5}', { code: 'invalid_request', pointer: '/from', ref: 1 }],
    ['{"type":"unsubscribe","ref":1,"subscription":{}}', { code: 'invalid_request', pointer: '/subscription', ref: 1 }],
    ['{"type":"ack","deliveries":["1"]}', { code: 'invalid_request', pointer: '/deliveries' }],
    ['{"type":"nack","deliveries":[1],"afterMs":-1}', { code: 'invalid_request', pointer: '/afterMs' }],
    ['{"type":"nack","deliveries":[1],"metadata":[]}', { code: 'invalid_request', pointer: '/metadata' }],
    ['{"type":"nack","deliveries":[1],"retry":1}', { code: 'invalid_request', pointer: '/retry' }],
    [`{"type":"nack","deliveries":[1],"error":"${'x'.repeat(1_025)}"}`, { code: 'invalid_request', pointer: '/error' }],
  ];
  it.each(refused)('refuses %s', (text, expected) => {
    expect(refusal(text)).toEqual(expected);
  });

  // What JSON.parse would let through. Whoever sent it waits for an answer, and its ref can be found.
  const events = [
    '{"a":1,"a":2}',
    '{"a":12345678901234567890}',
    '{"a":1e400}',
    '{"a":"\\u0000"}',
    '{"a":"\\ud800"}',
    '{"__proto__":{}}',
    '['.repeat(65) + ']'.repeat(65),
    `[${'1,'.repeat(100_000)}1]`,
  ];
  it.each(events.map((event) => [event.slice(0, 40), event]))('is as strict as HTTP about %s', (_, event) => {
    let error: unknown;
    try {
      parseBounded(Buffer.from(event!), DEFAULT_LIMITS);
    } catch (thrown) {
      error = thrown;
    }
    const frame = read(`{"type":"publish","ref":"r","event":${event}}`);
    expect(frame).toMatchObject({ ref: 'r', error: { code: (error as { code: string }).code } });
  });

  it('lets an event be nested as deep as HTTP does', () => {
    const event = '['.repeat(64) + ']'.repeat(64);
    expect(read(`{"type":"publish","ref":1,"event":${event}}`)).toMatchObject({ type: 'publish' });
    expect(() => parseBounded(Buffer.from(event), DEFAULT_LIMITS)).not.toThrow();
  });
});
