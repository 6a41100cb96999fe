import { setImmediate } from 'node:timers/promises';
import { BUS_WARNING } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { keptBus } from '../kept-bus.ts';

/** What the process was warned of; Node tells it after the turn in which it happened. */
function warnings(): { told(): Promise<readonly string[]> } {
  const words: string[] = [];
  const take = ({ name, message }: Error) => {
    if (name === BUS_WARNING) words.push(message);
  };
  process.on('warning', take);
  onTestFinished(() => void process.off('warning', take));
  return { told: () => setImmediate(words) };
}

it('warns once of a topic that has too many handlers, with the name of the last one, as of listeners', async () => {
  const { told } = warnings();
  const bus = keptBus({ maxListeners: 2 });
  const ids: string[] = [];
  const subscribe = async (topic: string) => ids.push(await bus.subscribe(topic, function onTask() {}));
  for (const topic of ['a', 'a', 'b', 'b']) await subscribe(topic);
  expect(await told()).toEqual([]);
  await subscribe('a');
  await subscribe('a');
  expect(await told()).toEqual([expect.stringMatching(/^3 listeners of "a" .* is onTask/)]);
  for (const id of ids) await bus.unsubscribe(id);
  for (const topic of ['a', 'a', 'a']) await subscribe(topic);
  expect(await told()).toHaveLength(2);
});

it('warns of nothing where the limit is zero', async () => {
  const { told } = warnings();
  const bus = keptBus({ maxListeners: 0 });
  for (let n = 0; n < 3; n++) await bus.subscribe('a', () => {});
  expect(await told()).toEqual([]);
});
