import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../../src/event/decode-event.ts';
import { EXPLICIT_RETRIES, HAS_EXPIRY } from '../../src/event/flags.ts';
import { type NormalizeContext, normalize } from '../../src/ingest/normalize.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { ANONYMOUS, SYSTEM } from '../../src/principal.ts';
import { refusal } from '../refusal.ts';

const NEXT_ID = '01923456-789a-7000-8000-000000000001';
const NOW_MS = Date.parse('2026-11-20T08:00:00.123Z');
const CONTEXT: NormalizeContext = {
  principal: ANONYMOUS,
  limits: DEFAULT_LIMITS,
  nextId: () => NEXT_ID,
  nowMs: NOW_MS,
};

const normalized = (input: unknown, context: Partial<NormalizeContext> = {}) =>
  normalize(input, { ...CONTEXT, ...context });
const stored = (input: unknown): unknown => JSON.parse(Buffer.from(normalized(input).body).toString());
const minimal = { type: 'project.created', source: 'projects' };

describe('normalize', () => {
  it('puts in every default', () => {
    expect(stored(minimal)).toEqual({
      id: NEXT_ID,
      type: 'project.created',
      source: 'projects',
      timestamp: '2026-11-20T08:00:00.123Z',
      version: '1.0',
      topic: 'project.created',
      priority: 2,
      metadata: { tags: [], retryCount: 0, maxRetries: 3 },
      payload: {},
    });
  });

  it('gives the store what it indexes, and the topic in its canonical form only there', () => {
    const input = {
      ...minimal,
      id: '01923456-789A-7000-8000-00000000000F',
      topic: 'project.x/created',
      priority: 'high',
      timestamp: '2026-01-02T03:04:05.678+02:00',
      correlationId: 'c',
      metadata: { userId: 'u', projectId: 'p', maxRetries: 0, expiresAt: 0 },
    };
    const appendable = normalized(input);
    expect(appendable).toEqual({
      id: '01923456-789a-7000-8000-00000000000f',
      topic: 'project/x/created',
      lane: 1,
      flags: EXPLICIT_RETRIES | HAS_EXPIRY,
      type: 'project.created',
      source: 'projects',
      correlationId: 'c',
      userId: 'u',
      projectId: 'p',
      timestampMs: Date.parse('2026-01-02T01:04:05.678Z'),
      body: expect.any(Uint8Array),
    });
    expect(decodeEvent(appendable.body)).toMatchObject({
      topic: 'project.x/created',
      priority: 1,
      metadata: { maxRetries: 0, expiresAt: new Date(0) },
    });
  });

  it('understands snake_case and the legacy names, to the same bytes', () => {
    const camel = {
      id: NEXT_ID,
      type: 'a.b',
      source: 's',
      correlationId: 'c',
      causationId: 'd',
      metadata: { userId: 'u', projectId: 'p', sessionId: 'x', maxRetries: 1, expiresAt: NOW_MS },
    };
    const snake = {
      event_id: NEXT_ID,
      event_type: 'a.b',
      source: 's',
      correlation_id: 'c',
      causation_id: 'd',
      metadata: { user_id: 'u', project_id: 'p', session_id: 'x', max_retries: 1, expires_at: new Date(NOW_MS) },
    };
    expect(normalized(snake)).toEqual(normalized(camel));
  });

  it('keeps the publisher’s own metadata, stores dates as text, and always counts retries from 0', () => {
    const metadata = { region: { code: 'eu' }, constructor: 'acme', when: new Date(0), retryCount: 7, gone: undefined };
    expect(stored({ ...minimal, metadata })).toMatchObject({
      metadata: { region: { code: 'eu' }, constructor: 'acme', when: '1970-01-01T00:00:00.000Z', retryCount: 0 },
    });
  });

  it('takes an event that was delivered and publishes the same content again', () => {
    const first = normalized({ ...minimal, payload: { a: [1] }, metadata: { tags: ['t'], expiresAt: NOW_MS } });
    const again = normalized(decodeEvent(first.body));
    expect(Buffer.from(again.body).toString()).toBe(Buffer.from(first.body).toString());
  });

  it('shares nothing with the input: changing it afterwards changes no stored event', () => {
    const input = { ...minimal, payload: { list: [1] }, metadata: { tags: ['a'] } };
    const { body } = normalized(input);
    const before = Buffer.from(body).toString();
    input.payload.list.push(2);
    input.metadata.tags.push('b');
    expect(Buffer.from(body).toString()).toBe(before);
    expect(stored(minimal)).toMatchObject({ metadata: { tags: [] } });
  });

  it('gives back any JSON payload unchanged', () => {
    const payload = fc.dictionary(fc.string(), fc.jsonValue({ stringUnit: 'grapheme' }));
    fc.assert(
      fc.property(payload, (given) => {
        const text = JSON.stringify(given);
        if (text.includes('\\u0000') || text.includes('__proto__')) return;
        const clean = JSON.parse(text);
        for (const trusted of [false, true]) {
          expect(decodeEvent(normalized({ ...minimal, payload: clean }, { trusted }).body).payload).toEqual(clean);
        }
      }),
    );
  });

  it('takes text that only spells an escape', () => {
    const payload = { text: String.raw`\u0000 and \ud800` };
    expect(stored({ ...minimal, payload })).toMatchObject({ payload });
  });

  it('asks toJSON, and looks again at what it really wrote', () => {
    expect(stored({ ...minimal, payload: { price: { toJSON: () => '1.50' } } })).toMatchObject({
      payload: { price: '1.50' },
    });
    let calls = 0;
    const shifty = { toJSON: () => (calls++ === 0 ? 'ok' : 'bad\0') };
    expect(refusal(() => normalized({ ...minimal, payload: { shifty } }))).toBe('invalid_event at /payload/shifty');
  });

  it('remembers a name it has checked, but not under whose limits', () => {
    const event = { type: 'known.name.of.five.levels', source: 'known-source' };
    normalized(event);
    const narrow = { limits: { ...DEFAULT_LIMITS, topicLevelsMax: 4 } };
    expect(refusal(() => normalized(event, narrow))).toBe('invalid_topic at /type');
    const short = { limits: { ...DEFAULT_LIMITS, topicCharactersMax: 10 } };
    expect(refusal(() => normalized(event, short))).toBe('invalid_topic at /type');
    const few = { limits: { ...DEFAULT_LIMITS, nameCharactersMax: 10 } };
    expect(refusal(() => normalized({ ...event, type: 'a' }, few))).toBe('invalid_event at /source');
  });

  it('refuses a payload whose toJSON answers nothing', () => {
    const payload = { toJSON: () => undefined };
    expect(refusal(() => normalized({ ...minimal, payload }))).toBe('invalid_event at /payload');
  });

  it('lets only the bus itself publish under $sys', () => {
    const event = { ...minimal, topic: '$sys.health' };
    expect(refusal(() => normalized(event))).toBe('topic_reserved at /topic');
    expect(refusal(() => normalized({ ...event, topic: undefined, type: '$sys/x' }))).toBe('topic_reserved at /type');
    expect(normalized(event, { principal: SYSTEM }).topic).toBe('$sys/health');
  });

  it('takes an event of exactly the largest size and refuses one byte more, in bytes and not in characters', () => {
    const size = normalized({ ...minimal, payload: { fill: '' } }).body.length;
    const room = DEFAULT_LIMITS.eventBytesMax - size;
    expect(normalized({ ...minimal, payload: { fill: 'x'.repeat(room) } }).body).toHaveLength(
      DEFAULT_LIMITS.eventBytesMax,
    );
    for (const fill of ['x'.repeat(room + 1), 'é'.repeat(room / 2 + 1)]) {
      expect(refusal(() => normalized({ ...minimal, payload: { fill } }, { pointer: '/3' }))).toBe(
        'event_too_large at /3',
      );
    }
  });

  it('counts depth from the event itself', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });
    expect(() => normalized({ ...minimal, payload: nested(63) })).not.toThrow();
    expect(refusal(() => normalized({ ...minimal, payload: nested(64) }))).toBe(
      `too_deep at /payload${'/a'.repeat(63)}`,
    );
    expect(refusal(() => normalized({ ...minimal, metadata: { own: nested(63) } }))).toBe(
      `too_deep at /metadata/own${'/a'.repeat(62)}`,
    );
  });
});
