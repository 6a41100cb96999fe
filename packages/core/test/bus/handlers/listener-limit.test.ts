import { expect, it, vi } from 'vitest';
import { keptBus } from '../kept-bus.ts';

it('warns once of a topic that has too many handlers, with the name of the last one', async () => {
  const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const bus = keptBus({ maxListeners: 2 });
  const ids: string[] = [];
  const subscribe = async (topic: string) => ids.push(await bus.subscribe(topic, function onTask() {}));
  for (const topic of ['a', 'a', 'b', 'b']) await subscribe(topic);
  expect(emitWarning).not.toHaveBeenCalled();
  await subscribe('a');
  await subscribe('a');
  expect(emitWarning).toHaveBeenCalledTimes(1);
  const [words, options] = emitWarning.mock.calls[0]!;
  expect(words).toMatch(/3 subscribe to a, the last of them is onTask/);
  expect(options).toMatchObject({ type: 'MaxListenersExceededWarning' });
  for (const id of ids) await bus.unsubscribe(id);
  for (const topic of ['a', 'a', 'a']) await subscribe(topic);
  expect(emitWarning).toHaveBeenCalledTimes(2);
  emitWarning.mockRestore();
});

it('warns of nothing where the limit is zero', async () => {
  const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const bus = keptBus({ maxListeners: 0 });
  for (let n = 0; n < 3; n++) await bus.subscribe('a', () => {});
  expect(emitWarning).not.toHaveBeenCalled();
  emitWarning.mockRestore();
});
