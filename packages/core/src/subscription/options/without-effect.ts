import { EventManagerError } from '../../errors/event-manager-error.ts';
import { SMART_BATCH_SIZE } from './pace-options.ts';

/** The value of an option under its own name, `undefined` when it is not given. */
export type Option = (name: string) => unknown;

/** An option that says something only beside others. */
interface Dependent {
  readonly name: string;
  readonly words: string;
  /** Of one that is given: it would change nothing. What is the default may always be said. */
  hasNoEffect(option: Option): boolean;
}

const DEPENDENTS: readonly Dependent[] = [
  {
    name: 'orderingKey',
    words: 'Where an event has its key matters with order: key alone.',
    hasNoEffect: (option) => orderOf(option) !== 'key',
  },
  {
    name: 'onFailure',
    words: 'What a failure means for later events needs an order: topic or key.',
    hasNoEffect: (option) => option('onFailure') !== 'block' && orderOf(option) === 'none',
  },
  {
    name: 'agingMs',
    words: 'Where an order is kept no event overtakes another, however long it has waited.',
    hasNoEffect: (option) => option('agingMs') !== 0 && orderOf(option) !== 'none',
  },
  {
    name: 'flushIntervalMs',
    words: 'A batch of one waits for no company: a batchSize above 1 is needed.',
    hasNoEffect: (option) => option('flushIntervalMs') !== 0 && batchSizeOf(option) === 1,
  },
];

/** Whoever sets an option that would change nothing believes something else. Throws `invalid_subscription`. */
export function refuseWithoutEffect(option: Option, pointerOf: (name: string) => string): void {
  for (const { name, words, hasNoEffect } of DEPENDENTS) {
    if (option(name) === undefined || !hasNoEffect(option)) continue;
    throw new EventManagerError('invalid_subscription', words, { pointer: pointerOf(name) });
  }
}

/** The options that change nothing any more beside what they are changed to: they go with what they belonged to. */
export function leftWithoutEffect(option: Option, changed: { has(name: string): boolean }): string[] {
  const left = DEPENDENTS.filter(({ name }) => option(name) !== undefined && !changed.has(name));
  return left.filter(({ hasNoEffect }) => hasNoEffect(option)).map(({ name }) => name);
}

/** A key alone asks for its order. */
export function orderOf(option: Option): unknown {
  return option('order') ?? (option('orderingKey') === undefined ? 'none' : 'key');
}

function batchSizeOf(option: Option): unknown {
  const preset = option('smartBatching') === true && option('inFlightMax') !== 1 ? SMART_BATCH_SIZE : 1;
  return option('batchSize') ?? preset;
}
