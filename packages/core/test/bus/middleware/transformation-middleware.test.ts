import { transformationMiddleware } from '@event-manager/core';
import { expect, it } from 'vitest';
import { keptBus } from '../kept-bus.ts';

it('changes every event, or those of a type, and leaves alone what it returns nothing for', async () => {
  const bus = keptBus();
  bus.use(transformationMiddleware((event) => ({ ...event, metadata: { ...event.metadata, tags: ['seen'] } })));
  bus.use(
    transformationMiddleware({
      task_created: async (event) => ({ ...event, data: { ...event.data, title: String(event.data['title']).trim() } }),
      task_deleted: () => undefined,
    }),
  );
  const stored: unknown[] = [];
  await bus.subscribe('*', ({ type, data, metadata }) => void stored.push([type, data, metadata.tags]));
  for (const type of ['task_created', 'task_deleted', 'toString']) await bus.publish({ type, data: { title: ' a ' } });
  expect(stored).toEqual([
    ['task_created', { title: 'a' }, ['seen']],
    ['task_deleted', { title: ' a ' }, ['seen']],
    ['toString', { title: ' a ' }, ['seen']],
  ]);
});
