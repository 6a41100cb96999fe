import { EventManager, isEventManagerError, type JsonObject, type JsonValue } from '@event-manager/core';
import { ajvSchemas } from '@event-manager/schema';
import { describe, expect, it } from 'vitest';
import { EVIL } from './evil.ts';
import { quickestMs } from './quickest-ms.ts';

/** Nobody waits longer for the event loop (contract C9); the machine may be busy with other tests. */
const COMPILE_MS = 100;
const CHECK_MS = 100;

const schemas = ajvSchemas();
// The engines are as warm as in a service that has seen a schema before.
for (let round = 0; round < 20; round++)
  schemas.compile({ properties: { a: { pattern: '^a+$' } } }).check({ a: 'aaa' });

function compile(schema: JsonValue) {
  try {
    return schemas.compile(schema);
  } catch (error) {
    if (isEventManagerError(error, 'invalid_schema')) return undefined;
    throw error;
  }
}

describe('what a stranger sends', () => {
  it('are at least two hundred', () => {
    expect(EVIL.length).toBeGreaterThanOrEqual(200);
  });

  it.each(EVIL)('$name holds nobody up', ({ schema, payload }) => {
    expect(quickestMs(() => compile(schema))).toBeLessThan(COMPILE_MS);
    const compiled = compile(schema);
    if (!compiled) return;
    expect(quickestMs(() => compiled.check(payload))).toBeLessThan(CHECK_MS);
    // The same answer every time: it depends on schema and payload, not on the clock.
    expect(compiled.check(payload)).toEqual(compiled.check(payload));
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

/** What a bus may say to a stranger; anything else would be a defect of ours. */
const ABOUT_SCHEMAS = new Set(['declared', 'invalid_schema', 'too_deep']);
const ABOUT_EVENTS = new Set(['stored', 'schema_violation', 'event_too_large', 'too_deep', 'invalid_event']);

describe('a bus that strangers declare topics on', () => {
  it('declares or refuses each, and then stores or refuses each payload, in its own words', async () => {
    await using bus = new EventManager({ schemas });
    const said: [name: string, declaring: string, publishing: string][] = [];
    for (const [at, { name, schema, payload }] of EVIL.entries()) {
      const topic = `strange.${at}`;
      const declaring = await codeOf(bus.createTopic(topic, schema as JsonObject), 'declared');
      const isObject = typeof payload === 'object' && payload !== null && !Array.isArray(payload);
      const event = { type: topic, source: 'test', payload: isObject ? payload : { payload } };
      said.push([name, declaring, await codeOf(bus.publish(event), 'stored')]);
    }
    expect(said.filter(([, declaring]) => !ABOUT_SCHEMAS.has(declaring))).toEqual([]);
    expect(said.filter(([, , publishing]) => !ABOUT_EVENTS.has(publishing))).toEqual([]);
    const stored = said.filter(([, , publishing]) => publishing === 'stored').length;
    expect(await bus.getEvents({}, { limit: 1_000 })).toHaveLength(stored);
  });
});

async function codeOf(promise: Promise<unknown>, fine: string): Promise<string> {
  try {
    await promise;
    return fine;
  } catch (error) {
    return isEventManagerError(error) ? error.code : String(error);
  }
}
