import { ANONYMOUS, type Outcome, type StateStore } from '@event-manager/core';
import { expect, it } from 'vitest';
import { durableWorld, fixedRetry, sinkOf } from '../open-engine.ts';

const HOUR = 60 * 60_000;
const failed: Outcome = { status: 'retry', error: { code: 'down', message: 'Down.' } };
const KINDS = ['progress', 'owed', 'blocked'] as const;

/** To whom records belong. */
async function owners(state: StateStore): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const kind of KINDS) {
    const { entries } = await state.load(kind, { limit: 1_000 });
    found[kind] = [...new Set(entries.map(({ key }) => key.split('/')[0]!))].sort();
  }
  return found;
}

/** Nobody else would ever look at them: the id of a subscription without a name does not come again. */
it('leaves nothing of a subscription without a name when the process dies while it is removed', async () => {
  const { time, kept, open } = durableWorld();
  const webhookSink = () => sinkOf((batch) => batch.map(() => failed));
  const first = await open({ webhookSink });
  const request = {
    endpoint: 'https://a.example/',
    options: { order: 'topic', retryPolicy: fixedRetry(1_000, HOUR), breaker: false, maxConcurrency: 2 },
  } as const;
  const removed = await first.subscribe(request);
  const stays = await first.subscribe(request);
  const named = await first.subscribe({ ...request, name: 'named' });
  for (const topic of ['a', 'b', 'a', 'c', 'b']) await first.publish({ topic });
  await time.advance(1_000);
  const all = [removed.id, stays.id, named.id].sort();
  expect(await owners(kept.kept.state)).toEqual({ progress: all, owed: all, blocked: all });
  kept.interfere = (call, [changes]) => {
    if (call === 'commit' && (changes as { kind: string }[])[0]?.kind === 'owed') first.crash();
  };
  void first.engine.subscriptions.unsubscribe(ANONYMOUS, removed.id);
  await time.runUntil(() => !first.isAlive);
  kept.interfere = () => {};
  expect((await owners(kept.kept.state))['owed']).toEqual(all);

  const second = await open({ webhookSink });
  await time.advance(1_000);
  const left = all.filter((id) => id !== removed.id);
  expect(await owners(kept.kept.state)).toEqual({ progress: left, owed: left, blocked: left });
  expect(second.status(stays.id).owed).toBe(3);
  await second.close();
});

it('leaves what belongs to subscriptions that are there, however many', async () => {
  const { time, kept, open } = durableWorld();
  const webhookSink = () => sinkOf((batch) => batch.map(() => failed));
  const first = await open({ webhookSink });
  const ids: string[] = [];
  for (let n = 0; n < 150; n++) ids.push((await first.subscribe({ endpoint: 'https://a.example/' })).id);
  await first.publish();
  await time.advance(500);
  await first.close();
  const second = await open({ webhookSink });
  await time.advance(1_000);
  expect(await owners(kept.kept.state)).toMatchObject({ progress: ids.toSorted(), owed: ids.toSorted() });
  await second.close();
});
