import { memory, type StateStore, type SubscriptionDefinition } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { Catalog } from '../../src/subscription/catalog.ts';
import { parseSubscription } from '../../src/subscription/parse-subscription.ts';

function definitionOf(id: string, topic = '#'): SubscriptionDefinition {
  const request = parseSubscription({ name: id, topic, handler: () => {} }, DEFAULT_LIMITS);
  return { ...request, id, state: 'active', createdAtMs: 1, updatedAtMs: 1 };
}

/** A catalog whose refresh has read the store and not yet heard the answer while `meanwhile` runs. */
async function refreshedDuring(meanwhile: (catalog: Catalog) => Promise<unknown>) {
  const adapter = memory();
  await adapter.open();
  let beforeAnswer: () => Promise<unknown> = async () => {};
  const state: StateStore = adapter.state;
  const load = state.load.bind(state);
  state.load = async (...args) => {
    const page = await load(...args);
    await beforeAnswer();
    return page;
  };
  const catalog = new Catalog(state);
  await catalog.create(definitionOf('a'), []);
  beforeAnswer = () => meanwhile(catalog);
  const vanished = await catalog.refresh();
  return { vanished, topics: Object.fromEntries(catalog.list().map(({ id, topic }) => [id, topic])) };
}

describe('a refresh of the catalog', () => {
  it('loses nothing that is created meanwhile', async () => {
    expect(await refreshedDuring((catalog) => catalog.create(definitionOf('b'), []))).toEqual({
      vanished: [],
      topics: { a: '#', b: '#' },
    });
  });

  it('does not overwrite what is changed meanwhile', async () => {
    expect(await refreshedDuring((catalog) => catalog.update(definitionOf('a', 'new')))).toEqual({
      vanished: [],
      topics: { a: 'new' },
    });
  });

  it('does not bring back what is removed meanwhile', async () => {
    expect(await refreshedDuring((catalog) => catalog.remove('a', []))).toEqual({ vanished: [], topics: {} });
  });
});
