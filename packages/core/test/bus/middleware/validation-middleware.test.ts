import { validationMiddleware } from '@event-manager/core';
import { ajvSchemas } from '@event-manager/schema';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { keptBus } from '../kept-bus.ts';

const jsonSchema = {
  type: 'object',
  properties: { title: { type: 'string' }, due: { type: 'string' } },
  required: ['title'],
} as const;

it.each([
  ['a schema of a library', () => validationMiddleware({ task_created: z.object({ title: z.string() }) })],
  ['JSON Schema', () => validationMiddleware({ task_created: jsonSchema }, { compiler: ajvSchemas() })],
  ['a compiled schema', () => validationMiddleware({ task_created: ajvSchemas().compile(jsonSchema) })],
])('refuses by %s what does not fit, with the place', async (_, make) => {
  const bus = keptBus();
  bus.use(make());
  await bus.publish({ type: 'task_created', data: { title: 'a', due: new Date(0) } });
  await bus.publish({ type: 'task_deleted', data: { title: 1 } });
  await expect(bus.publish({ type: 'task_created', data: { title: 1 } })).rejects.toMatchObject({
    code: 'schema_violation',
    details: { pointer: '/payload/title' },
  });
  expect((await bus.getStats()).publishedEvents).toBe(2);
});

it('refuses types without a schema where that was asked for', async () => {
  const bus = keptBus();
  bus.use(validationMiddleware({ task_created: z.object({}) }, { otherTypes: 'refuse' }));
  await expect(bus.publish({ type: 'task_deleted', data: {} })).rejects.toMatchObject({
    code: 'schema_violation',
    details: { pointer: '/type' },
  });
});

it('says which package compiles JSON Schema', () => {
  expect(() => validationMiddleware({ a: jsonSchema })).toThrow(
    '@event-manager/schema is in no registry yet: "npm run pack"',
  );
});

it('leaves what JSON cannot hold to the bus', async () => {
  const bus = keptBus();
  bus.use(validationMiddleware({ a: z.object({}) }));
  await expect(bus.publish({ type: 'a', data: { n: 1n } })).rejects.toMatchObject({
    code: 'invalid_event',
    details: { pointer: '/payload/n' },
  });
});
