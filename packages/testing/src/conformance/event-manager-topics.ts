import type { StandardSchema } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';

const SCHEMA = { type: 'object', properties: { total: { type: 'number' } }, required: ['total'] };

export function topicsConformance(start: StartEventManager): void {
  describe('topics', () => {
    it('are declared, described and listed', async () => {
      const { events } = await start();
      const created = await events.createTopic('order.created', SCHEMA, { description: 'An order came in.' });
      expect(created).toMatchObject({
        topic: 'order.created',
        description: 'An order came in.',
        compatibility: 'backward',
        schema: SCHEMA,
        versions: [{ version: 1, schema: SCHEMA }],
      });
      await events.createTopic('a/b');
      expect(await events.getTopic('order/created')).toMatchObject({ topic: 'order.created', schema: SCHEMA });
      expect((await events.listTopics()).map(({ topic }) => topic)).toEqual(['a/b', 'order.created']);
      await expect(events.getTopic('nobody')).rejects.toMatchObject({ code: 'topic_not_found' });
    });

    it('hold payloads against their schema, and say what is wrong', async () => {
      const { events } = await start();
      await events.createTopic('order.created', SCHEMA);
      const bad = { type: 'order.created', source: 'shop', payload: { total: 'much' } };
      const refused = { code: 'schema_violation', details: { pointer: '/payload/total' } };
      await expect(events.publish(bad)).rejects.toMatchObject(refused);
      const { results } = await events.publishBatch([{ ...bad, payload: { total: 1 } }, bad]);
      expect(results[1]).toMatchObject({ code: 'schema_violation', details: { pointer: '/1/payload/total' } });
    });

    it('hold payloads against a schema of a library, in the process that has it', async () => {
      const { events } = await start();
      const schema: StandardSchema = {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: (value) => {
            const isRight = (value as { total?: unknown }).total !== undefined;
            return isRight ? { value } : { issues: [{ message: 'a total is needed', path: ['total'] }] };
          },
        },
      };
      expect(await events.createTopic('order.created', schema)).toMatchObject({ topic: 'order.created', versions: [] });
      const bad = events.publish({ type: 'order.created', source: 'shop', payload: {} });
      await expect(bad).rejects.toMatchObject({
        code: 'schema_violation',
        message: 'The payload does not fit the schema of its topic: a total is needed',
        details: { pointer: '/payload/total', topic: 'order/created' },
      });
      await events.publish({ type: 'order.created', source: 'shop', payload: { total: 1 } });
      await expect(events.addTopicSchema('nobody', schema)).rejects.toMatchObject({ code: 'topic_not_found' });
    });

    it('get new versions that stored events fit', async () => {
      const { events } = await start();
      await events.createTopic('order.created', SCHEMA);
      await events.publish({ type: 'order.created', source: 'shop', payload: { total: 1 } });
      const wider = { type: 'object', properties: { total: { type: 'number' }, note: { type: 'string' } } };
      const changed = await events.addTopicSchema('order.created', wider);
      expect(changed.versions.map(({ version }) => version)).toEqual([1, 2]);
      const narrower = { ...SCHEMA, required: ['total', 'note'] };
      const refused = events.addTopicSchema('order.created', narrower);
      await expect(refused).rejects.toMatchObject({ code: 'schema_incompatible' });
      await expect(events.addTopicSchema('nobody', SCHEMA)).rejects.toMatchObject({ code: 'topic_not_found' });
    });

    removal(start);
  });
}

function removal(start: StartEventManager): void {
  it('are removed, and then declared anew without what they were', async () => {
    const { events } = await start();
    await events.createTopic('order.created', SCHEMA);
    await events.removeTopic('order/created');
    await expect(events.getTopic('order.created')).rejects.toMatchObject({ code: 'topic_not_found' });
    expect(await events.listTopics()).toEqual([]);
    await events.publish({ type: 'order.created', source: 'shop', payload: { total: 'much' } });
    await expect(events.removeTopic('order.created')).rejects.toMatchObject({ code: 'topic_not_found' });
    const other = { type: 'object', required: ['total'] };
    expect(await events.createTopic('order.created', other)).toMatchObject({ versions: [{ version: 1 }] });
  });
}
