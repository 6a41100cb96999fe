import { Buffer } from 'node:buffer';
import { isEventManagerError, type JsonValue, type StateChange } from '@event-manager/core';
import { type Mutants, replace } from './replace.ts';

const without = (changes: readonly StateChange[], field: 'ifRevision' | 'lease'): StateChange[] =>
  changes.map((change) => {
    const { [field]: _, ...rest } = change;
    return rest;
  });

/** State stores that are wrong in one way each. */
export const STATE_STORE_MUTANTS: Mutants = {
  'does not look at expected revisions': ({ state }) =>
    replace(state, 'commit', (commit) => (changes) => commit(without(changes, 'ifRevision'))),
  'does not look at leases': ({ state }) =>
    replace(state, 'commit', (commit) => (changes) => commit(without(changes, 'lease'))),
  'commits one change after the other': ({ state }) =>
    replace(state, 'commit', (commit) => async (changes) => {
      let revision = 0;
      for (const change of changes) revision = await commit([change]);
      return revision;
    }),
  'always gives the same revision': ({ state }) =>
    replace(state, 'commit', (commit) => async (changes) => {
      await commit(changes);
      return 1;
    }),
  'keeps null where it should delete': ({ state }) =>
    replace(
      state,
      'commit',
      (commit) => (changes) => commit(changes.map((change) => ({ ...change, value: change.value ?? null }))),
    ),
  'mixes two kinds': ({ state }) =>
    replace(
      state,
      'commit',
      (commit) => (changes) =>
        commit(changes.map((change) => (change.kind === 'attempt' ? { ...change, kind: 'audit' } : change))),
    ),
  'names only one lost lease': ({ state }) =>
    replace(state, 'commit', (commit) => async (changes) => {
      try {
        return await commit(changes);
      } catch (error) {
        if (isEventManagerError(error, 'lease_lost')) (error.details['resources'] as string[]).length = 1;
        throw error;
      }
    }),
  'gives out the object it was given': ({ state }) => {
    const values = new Map<string, JsonValue | undefined>();
    replace(state, 'commit', (commit) => async (changes) => {
      const revision = await commit(changes);
      for (const { kind, key, value } of changes) values.set(`${kind} ${key}`, value);
      return revision;
    });
    replace(
      state,
      'get',
      (get) => async (kind, keys) =>
        (await get(kind, keys)).map((entry) => entry && { ...entry, value: values.get(`${kind} ${entry.key}`)! }),
    );
  },
  'does not look at the prefix': ({ state }) =>
    replace(
      state,
      'load',
      (load) =>
        (kind, { prefix: _, ...options }) =>
          load(kind, options),
    ),
  'promises a page behind the last': ({ state }) =>
    replace(state, 'load', (load) => async (kind, options) => {
      const page = await load(kind, options);
      return page.entries.length === options.limit ? { ...page, next: page.entries.at(-1)!.key } : page;
    }),
  'sorts keys by their UTF-8 bytes': ({ state }) =>
    replace(state, 'load', (load) => async (kind, options) => {
      const page = await load(kind, options);
      const bytes = (key: string) => Buffer.from(key, 'utf8');
      return { ...page, entries: page.entries.toSorted((a, b) => Buffer.compare(bytes(a.key), bytes(b.key))) };
    }),
  'never lets a lease run out': ({ state }) =>
    replace(state, 'acquire', (acquire) => (resource, options) => acquire(resource, { ...options, ttlMs: 1e12 })),
  'does not tell owners apart': ({ state }) =>
    replace(
      state,
      'acquire',
      (acquire) => (resources, options) => acquire(resources, { ...options, owner: 'anybody' }),
    ),
  'gives every lease the same token': ({ state }) =>
    replace(state, 'acquire', (acquire) => async (resources, options) => {
      const leases = await acquire(resources, options);
      return leases.map((lease) => ({ ...lease, token: 1 }));
    }),
  'gives one lease of many': ({ state }) =>
    replace(state, 'acquire', (acquire) => (resources, options) => acquire(resources.slice(0, 1), options)),
  'says that ended leases are held': ({ state }) =>
    replace(state, 'holders', () => async (resources) => resources.map(() => 'a')),
  'renews nothing and says it did': ({ state }) => replace(state, 'renew', () => async () => []),
  'revives what ran out': ({ state }) =>
    replace(state, 'renew', (renew) => async (leases, options) => {
      for (const { resource } of await renew(leases, options))
        await state.acquire([resource], { owner: 'a', ...options });
      return [];
    }),
  'keeps what is given back': ({ state }) => replace(state, 'release', () => async () => {}),
};
