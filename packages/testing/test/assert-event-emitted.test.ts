import { assertEventEmitted, assertNoEventEmitted, TestEventCollector } from '@event-manager/testing';
import { expect, it } from 'vitest';

it('asserts as the methods of the collector do', () => {
  const collector = new TestEventCollector();
  const started = { type: 'component.started' };
  collector.handler(started);
  expect(assertEventEmitted(collector, 'component.started', { times: 1 })).toBe(started);
  expect(() => assertEventEmitted(collector, 'component.started', { times: 2 })).toThrow('Expected 2');
  assertNoEventEmitted(collector, 'component.failed');
  expect(() => assertNoEventEmitted(collector, (event) => event === started)).toThrow('Expected none');
});
