import { failing, testEventBus } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { Refused, Saga, type Step } from '../../examples/saga/saga.ts';
import { stableId } from '../../examples/saga/stable-id.ts';

/** Three steps that write down what is done with them. */
function steps(done: string[], more: Partial<Record<string, Partial<Step<string>>>> = {}): Step<string>[] {
  return ['one', 'two', 'three'].map((name) => ({
    name,
    run: () => void done.push(name),
    compensate: () => void done.push(`not ${name}`),
    ...more[name],
  }));
}

const refuse = () => {
  throw new Refused('no');
};

it('does its steps in order', async () => {
  await using test = testEventBus();
  const done: string[] = [];
  const saga = new Saga(test.bus, { name: 'orders', steps: steps(done) });
  await saga.open();
  await saga.start('a', 'data');
  await test.settled();
  expect(done).toEqual(['one', 'two', 'three']);
  expect((await saga.trace('a')).at(-1)).toMatchObject({ type: 'saga.completed', correlationId: 'a' });
});

it('undoes in reverse order what was done before the step that refused', async () => {
  await using test = testEventBus();
  const done: string[] = [];
  const saga = new Saga(test.bus, { name: 'orders', steps: steps(done, { three: { run: refuse } }) });
  await saga.open();
  await saga.start('a', 'data');
  await test.settled();
  expect(done).toEqual(['one', 'two', 'not two', 'not one']);
  const [failure] = (await saga.trace('a')).filter(({ type }) => type === 'saga.compensation.required');
  expect(failure!.payload).toMatchObject({ failedStep: 'three', reason: 'no', compensationActions: ['two', 'one'] });
});

it('undoes also the step that was given up, since nobody knows how far it came', async () => {
  await using test = testEventBus();
  const done: string[] = [];
  const saga = new Saga(test.bus, { name: 'orders', steps: steps(done, { two: { run: failing(3) } }) });
  await saga.open();
  await saga.start('a', 'data');
  await test.settled();
  await test.waitFor(() => done.includes('not one'));
  expect(done).toEqual(['one', 'not two', 'not one']);
});

it('goes on where a step fails for a while, and where undoing does', async () => {
  await using test = testEventBus();
  const done: string[] = [];
  const flaky = {
    run: failing(2, () => void done.push('one')),
    compensate: failing(5, () => void done.push('not one')),
  };
  const saga = new Saga(test.bus, { name: 'orders', steps: steps(done, { one: flaky, two: { run: refuse } }) });
  await saga.open();
  await saga.start('a', 'data');
  await test.settled();
  await test.waitFor(() => done.length === 2);
  expect(done).toEqual(['one', 'not one']);
  expect(await test.bus.eventManager.listDeadLetters()).toHaveLength(0);
});

it('starts once however often it is told to, and keeps sagas apart', async () => {
  await using test = testEventBus();
  const done: string[] = [];
  const saga = new Saga(test.bus, { name: 'orders', steps: steps(done).slice(0, 1) });
  await saga.open();
  for (const id of ['a', 'a', 'b', 'a']) await saga.start(id, 'data');
  await test.settled();
  expect(done).toEqual(['one', 'one']);
  expect(await saga.trace('a')).toHaveLength(3);
});

it('publishes each event once where the answer of the store is lost', async () => {
  await using test = testEventBus();
  const done: string[] = [];
  const saga = new Saga(test.bus, { name: 'orders', steps: steps(done) });
  await saga.open();
  await saga.start('a', 'data').then(() => test.store.loseAnswers({ of: 'append', times: 2 }));
  await test.settled();
  const types = (await saga.trace('a')).map(({ type, payload }) => `${type} ${payload.step ?? ''}`.trim());
  expect(types).toEqual([
    'saga.started',
    'step.completed one',
    'step.completed two',
    'step.completed three',
    'saga.completed',
  ]);
});

it('has ids that are made of words and are UUIDs', () => {
  expect(stableId('a', 'b')).toBe(stableId('a', 'b'));
  expect(stableId('a', 'b')).not.toBe(stableId('ab'));
  expect(stableId('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
