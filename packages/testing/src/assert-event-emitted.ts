import type { TestEventCollector } from './test-event-collector.ts';

/** The same as the method of the collector, for tests that read better with it. Gives the first such event. */
export function assertEventEmitted<E extends { readonly type: string }>(
  collector: TestEventCollector<E>,
  wanted: string | ((event: E) => boolean),
  options?: { readonly times?: number },
): E {
  return collector.assertEventEmitted(wanted, options);
}

/** Throws if such an event came. Says something only once everything has happened: after `settled()`. */
export function assertNoEventEmitted<E extends { readonly type: string }>(
  collector: TestEventCollector<E>,
  wanted: string | ((event: E) => boolean),
): void {
  collector.assertNoEventEmitted(wanted);
}
