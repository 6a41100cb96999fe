import { createLoggingMiddleware, type LoggedEvent, loggingMiddleware } from '@event-manager/core';
import { expect, it, vi } from 'vitest';
import { keptBus } from '../kept-bus.ts';

it('logs what became of each event, and of its payload nothing', async () => {
  const bus = keptBus();
  const lines: LoggedEvent[] = [];
  bus.use(createLoggingMiddleware({ log: (entry) => void lines.push(entry) }));
  bus.use(function gate({ type }, next) {
    return type === 'noise' ? undefined : next();
  });
  const { id } = (await bus.publish({ type: 'task_created', data: { secret: 'x' } })) as { id: string };
  await bus.publish({ id, type: 'task_created', data: { secret: 'x' } });
  await bus.publish({ type: 'noise', data: {} });
  await bus.publish({ type: 'task//created', data: {} }).catch(() => {});
  expect(lines.map(({ outcome, by, code }) => [outcome, by, code])).toEqual([
    ['stored', undefined, undefined],
    ['duplicate', undefined, undefined],
    ['filtered', 'gate', undefined],
    ['refused', undefined, 'invalid_topic'],
  ]);
  expect(lines[0]).toMatchObject({ event: id, type: 'task_created', topic: 'task_created', source: 'event-bus' });
  expect(JSON.stringify(lines)).not.toContain('secret');
});

it('writes lines of JSON to the standard error when it is used as it is', async () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const bus = keptBus();
  bus.use(loggingMiddleware);
  await bus.publish({ type: 'task_created', data: {} });
  const lines = write.mock.calls.map(([line]) => String(line));
  write.mockRestore();
  expect(lines.map((line) => JSON.parse(line).type)).toEqual(['task_created']);
  expect(bus.getMiddlewareStats()[0]!.name).toBe('logging');
});

it('calls no event refused that is stored, though its line could not be written', async () => {
  const bus = keptBus();
  const outcomes: string[] = [];
  const log = ({ outcome }: LoggedEvent) => {
    outcomes.push(outcome);
    throw new RangeError('the disk is full');
  };
  bus.use(createLoggingMiddleware({ log }));
  await bus.publish({ type: 'task_created', data: {} });
  expect(outcomes).toEqual(['stored']);
});
