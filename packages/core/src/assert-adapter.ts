import type { EventBusAdapter } from './contracts/adapter.ts';

/** Throws a TypeError for what is no adapter: the name of one, for example, which would be noticed by the first event. */
export function assertAdapter(given: unknown, whose: string): asserts given is EventBusAdapter {
  if (typeof (given as Partial<EventBusAdapter> | null | undefined)?.open === 'function') return;
  const name = typeof given === 'string' ? JSON.stringify(given) : "'journal'";
  throw new TypeError(
    `The adapter of an ${whose} is an object that an adapter package makes, or createEventBusAdapter({ adapter: ${name} }).`,
  );
}
