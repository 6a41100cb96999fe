import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { ajvSchemas } from '@event-manager/schema';
import { describe, expect, it, onTestFinished } from 'vitest';

const ORDER = { type: 'object', required: ['total'], properties: { total: { type: 'number' } } };
const order = (payload: object) => ({ type: 'order.created', source: 'shop', payload });

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'schema-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

describe('topics with a JSON Schema on a journal', () => {
  it('keep their versions, and what they ask, over a restart', async () => {
    const directory = await temporaryDirectory();
    const open = () => new EventManager({ adapter: journal({ directory }), schemas: ajvSchemas() });
    {
      await using bus = open();
      await bus.createTopic('order.created', ORDER, { description: 'An order came in.' });
      await bus.publish(order({ total: 1 }));
      await bus.addTopicSchema('order.created', { ...ORDER, properties: {} });
    }
    await using bus = open();
    expect(await bus.getTopic('order/created')).toMatchObject({
      description: 'An order came in.',
      versions: [{ version: 1, schema: ORDER }, { version: 2 }],
    });
    expect(await bus.listTopics()).toHaveLength(1);
    await bus.publish(order({ total: 'any' }));
    await expect(bus.publish(order({}))).rejects.toMatchObject({ details: { pointer: '/payload/total' } });
    await expect(bus.addTopicSchema('order.created', ORDER)).rejects.toMatchObject({
      code: 'schema_incompatible',
      details: { path: '/payload/total' },
    });
    expect(await bus.getEvents({ topic: 'order.created' })).toHaveLength(2);
  });

  it('refuse exactly what does not fit of ten thousand events', async () => {
    await using bus = new EventManager({
      adapter: journal({ directory: await temporaryDirectory() }),
      schemas: ajvSchemas(),
    });
    await bus.createTopic('order.created', ORDER);
    const events = Array.from({ length: 10_000 }, (_, n) => order(n % 7 === 0 ? { total: `${n}` } : { total: n }));
    const { stored, failed, results } = await bus.publishBatch(events);
    expect([stored, failed]).toEqual([8_571, 1_429]);
    expect(results[7]).toMatchObject({ code: 'schema_violation', details: { pointer: '/7/payload/total' } });
    const found = await bus.getEvents({}, { limit: 1_000, direction: 'backward' });
    expect(found.every(({ payload }) => typeof payload['total'] === 'number')).toBe(true);
    expect((await bus.getMetrics()).rejected).toEqual({ schema_violation: 1_429 });
  });
});
