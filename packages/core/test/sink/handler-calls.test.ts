import { AsyncLocalStorage } from 'node:async_hooks';
import { type DeliverOptions, EventManager } from '@event-manager/core';
import { expect, it } from 'vitest';
import { callAsBus, callingAttempt, HandlerCalls, isInsideHandler } from '../../src/sink/handler-calls.ts';

function attempt(): DeliverOptions {
  return { signal: new AbortController().signal, deadlineAtMs: 0 };
}

it('lets what a handler calls know the attempt, call after call, and nothing outside', () => {
  const calls = new HandlerCalls();
  for (const each of [attempt(), attempt(), attempt()]) {
    expect(calls.run(each, () => callingAttempt())).toBe(each);
    expect([isInsideHandler(), callingAttempt()]).toEqual([false, undefined]);
  }
});

it('keeps the attempt of a handler that answers with a promise, whatever is called meanwhile', async () => {
  const calls = new HandlerCalls();
  const [quick, slow, next] = [attempt(), attempt(), attempt()];
  calls.run(quick, () => {});
  const gate = Promise.withResolvers<void>();
  // Takes the context of the one before, and must not share it with the one behind.
  const answered = calls.run(slow, async () => {
    await gate.promise;
    return callingAttempt();
  });
  const seen = calls.run(next, () => callingAttempt());
  gate.resolve();
  expect([await answered, seen]).toEqual([slow, next]);
});

it('counts what a handler left behind as inside one, and as part of no attempt, also not of the next', async () => {
  const calls = new HandlerCalls();
  const seen: unknown[] = [];
  const leave = () => {
    // Nobody waits for it.
    void Promise.resolve().then(() => seen.push([isInsideHandler(), callingAttempt()]));
  };
  for (let n = 0; n < 3; n++) calls.run(attempt(), leave);
  await Promise.resolve();
  expect(seen).toEqual([
    [true, undefined],
    [true, undefined],
    [true, undefined],
  ]);
});

it('forgets the attempt of a handler that throws, and goes on', () => {
  const calls = new HandlerCalls();
  const fail = () => {
    throw new TypeError('odd');
  };
  const each = attempt();
  for (let n = 0; n < 3; n++) expect(() => calls.run(attempt(), fail)).toThrow('odd');
  expect(calls.run(each, () => callingAttempt())).toBe(each);
});

it('calls a handler inside itself', () => {
  const calls = new HandlerCalls();
  calls.run(attempt(), () => {});
  const [outer, inner] = [attempt(), attempt()];
  const seen: unknown[] = [];
  calls.run(outer, () => {
    seen.push(callingAttempt());
    calls.run(inner, () => seen.push(callingAttempt()));
    seen.push(callingAttempt());
  });
  expect(seen).toEqual([outer, inner, outer]);
});

it('runs handlers in the context in which they were subscribed, whoever publishes', async () => {
  const request = new AsyncLocalStorage<string>();
  const calls = request.run('subscriber', () => new HandlerCalls());
  const read = () => request.getStore();
  const seen = request.run('publisher', () => [1, 2, 3].map(() => calls.run(attempt(), read)));
  const later = request.run('publisher', () => calls.run(attempt(), async () => read()));
  expect([...seen, await later]).toEqual(['subscriber', 'subscriber', 'subscriber', 'subscriber']);
});

it('marks what the bus itself does', () => {
  expect(callAsBus(() => [isInsideHandler(), callingAttempt()])).toEqual([true, 'bus']);
});

it('is so for subscriptions, too: a handler sees the stores of its subscriber, and a batch handler', async () => {
  const request = new AsyncLocalStorage<string>();
  await using bus = new EventManager();
  const seen: unknown[] = [];
  const handler = () => void seen.push(request.getStore());
  await request.run('subscriber', () => bus.subscribe({ topic: '#', handler }));
  await request.run('subscriber', () => bus.subscribe({ topic: '#', batchHandler: handler }));
  for (const publisher of ['first', 'second']) {
    await request.run(publisher, () => bus.publish({ type: 'a', source: 's' }));
  }
  expect(seen).toEqual(['subscriber', 'subscriber', 'subscriber', 'subscriber']);
});
