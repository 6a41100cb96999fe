import { memory, type StateChange } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { statePages } from '../src/state-pages.ts';

async function keptState(count: number) {
  const adapter = memory({ runtime: { clock: new VirtualTime() } });
  await adapter.open();
  const { state } = adapter;
  const changes: StateChange[] = [{ kind: 'owed', key: 't/0', value: { n: -1 } }];
  for (let n = 0; n < count; n++) {
    changes.push({ kind: 'owed', key: `s/${String(n).padStart(4, '0')}`, value: { n } });
  }
  await state.commit(changes);
  return state;
}

it('gives every entry of a kind once and in order, a thousand at a time', async () => {
  const state = await keptState(2_500);
  const pages: number[][] = [];
  for await (const page of statePages(state, 'owed', 's/'))
    pages.push(page.map(({ value }) => (value as { n: number }).n));
  expect(pages.map(({ length }) => length)).toEqual([1_000, 1_000, 500]);
  expect(pages.flat()).toEqual(Array.from({ length: 2_500 }, (_, n) => n));
});

it('gives one empty page of nothing, and all where no prefix is given', async () => {
  const state = await keptState(3);
  const lengths = async (kind: 'owed' | 'blocked', prefix?: string) => {
    const found: number[] = [];
    for await (const { length } of statePages(state, kind, prefix)) found.push(length);
    return found;
  };
  expect([await lengths('blocked'), await lengths('owed'), await lengths('owed', 'u')]).toEqual([[0], [4], [0]]);
});
