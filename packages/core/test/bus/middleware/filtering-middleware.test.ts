import { filteringMiddleware } from '@event-manager/core';
import { expect, it } from 'vitest';
import { keptBus } from '../kept-bus.ts';

it.each([
  [{ types: ['task_*', 'order.*'] }, 'invalid_pattern'],
  [{ types: ['order.*'] }, ['order.placed']],
  [{ excludeTypes: ['order.*'] }, ['task_created']],
  [{ topics: ['task/#'] }, ['task_created']],
  [{ sources: ['shop'] }, ['order.placed']],
  [{ excludeSources: ['shop'] }, ['task_created']],
  [{ types: ['order.*'], accept: async () => false }, []],
] as const)('lets pass what %o asks for', async (options, expected) => {
  if (typeof expected === 'string') {
    expect(() => filteringMiddleware(options)).toThrow(expect.objectContaining({ code: expected }));
    return;
  }
  const bus = keptBus();
  bus.use(filteringMiddleware(options));
  const passed: string[] = [];
  await bus.subscribe('#', ({ type }) => void passed.push(type));
  const results = [
    await bus.publish({ type: 'task_created', topic: 'task/created', data: {} }),
    await bus.publish({ type: 'order.placed', source: 'shop', data: {} }),
  ];
  expect(passed).toEqual(expected);
  const kept = results.filter((result) => 'filtered' in result);
  expect(kept).toEqual(Array(2 - expected.length).fill({ filtered: true, by: 'filtering' }));
});

it('takes no text for a list, whose letters would keep everything back', () => {
  for (const options of [{ types: 'task_created' }, { excludeTypes: 'noise' }, { sources: 'shop' }]) {
    expect(() => filteringMiddleware(options as never)).toThrow(/ is a list/);
  }
});
