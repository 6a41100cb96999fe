import type { EventIn, RelevanceContextIn, StreamedEvent, StreamReader } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';
import { until } from './until.ts';

const about = (type: string, metadata: EventIn['metadata'], priority: EventIn['priority'] = 'NORMAL'): EventIn => ({
  type,
  source: 'test',
  priority,
  metadata,
});

export function contextsConformance(start: StartEventManager): void {
  describe('contexts', () => {
    it('are registered, replaced, listed and removed, in any spelling', async () => {
      const { events } = await start();
      const first = await events.registerContext('aas', { user_ids: ['u2', 'u1', 'u1'] });
      expect(first).toMatchObject({ subscriber: 'aas', userIds: ['u1', 'u2'], projectIds: [], sessionIds: [] });
      await events.registerContext('another/one ü', { projects: ['p1'] });
      await events.registerContext('aas', { userIds: ['u3'], sessionIds: [] });
      expect(await events.getContext('aas')).toMatchObject({ userIds: ['u3'] });
      expect((await events.listContexts()).map(({ subscriber }) => subscriber)).toEqual(['aas', 'another/one ü']);
      await events.removeContext('aas');
      await expect(events.getContext('aas')).rejects.toMatchObject({ code: 'context_not_found' });
      await expect(events.removeContext('aas')).rejects.toMatchObject({ code: 'context_not_found' });
    });

    it.each([
      [{}, ''],
      [{ userIds: 'u1' }, '/userIds'],
      [{ user_ids: ['u1', ''] }, '/user_ids/1'],
      [{ colour: ['red'] }, '/colour'],
    ])('refuse %j and say where', async (context, pointer) => {
      const { events } = await start();
      const refused = events.registerContext('aas', context as RelevanceContextIn);
      await expect(refused).rejects.toMatchObject({ code: 'invalid_context', details: { pointer } });
    });

    relevance(start);
    streams(start);
  });
}

function relevance(start: StartEventManager): void {
  it('decide what is relevant to a subscriber, from the next delivery on', async () => {
    const { events } = await start();
    const seen: string[] = [];
    await events.subscribe({
      topic: '#',
      subscriber: 'aas',
      filter: { or: [{ user_relevant: true }, { types: ['end'] }] },
      handler: ({ type }) => void seen.push(type),
    });
    const round = async (name: string) => {
      await events.publish(about(`${name}.user1`, { userId: 'u1' }));
      await events.publish(about(`${name}.user2`, { userId: 'u2' }));
      await events.publish(about(`${name}.project1`, { userId: 'u2', projectId: 'p1' }));
      await events.publish(about(`${name}.nobody`, {}));
      await events.publish(about('end', {}));
      await until('the last of the round is delivered', () => seen.at(-1) === 'end');
      return seen.splice(0).slice(0, -1).sort();
    };
    expect(await round('a')).toEqual(['a.project1', 'a.user1', 'a.user2']);
    await events.registerContext('aas', { userIds: ['u1'], projectIds: ['p1'] });
    expect(await round('b')).toEqual(['b.project1', 'b.user1']);
    await events.registerContext('aas', { userIds: [] });
    expect(await round('c')).toEqual([]);
    await events.removeContext('aas');
    expect(await round('d')).toEqual(['d.project1', 'd.user1', 'd.user2']);
  });

  it('of a subscription itself are used instead of the one that its subscriber registered', async () => {
    const { events } = await start();
    await events.registerContext('aas', { userIds: ['u1'] });
    const seen: string[] = [];
    const subscription = await events.subscribe({
      topic: 'order.*',
      subscriber: 'aas',
      context: { user_ids: ['u2'] },
      filter: { userRelevant: true },
      handler: ({ metadata }) => void seen.push(String(metadata.userId)),
    });
    expect(subscription.definition.context).toEqual({ userIds: ['u2'], projectIds: [], sessionIds: [] });
    for (const userId of ['u1', 'u2']) await events.publish(about('order.created', { userId }));
    await until('one is delivered', () => seen.length === 1);
    await events.updateSubscription(subscription.id, { context: {} });
    for (const userId of ['u2', 'u1']) await events.publish(about('order.created', { userId }));
    await until('another one is delivered', () => seen.length === 2);
    expect(seen).toEqual(['u2', 'u1']);
  });
}

function streams(start: StartEventManager): void {
  it('decide of what a stream shows: that of its subscriber, or one of its own', async () => {
    const { events } = await start();
    await events.registerContext('aas', { userIds: ['u1'] });
    const filter = { userRelevant: true };
    const streams = await Promise.all([
      events.stream({ filter }),
      events.stream({ filter, subscriber: 'aas' }),
      events.stream({ filter, subscriber: 'aas', context: { users: ['u2'] } }),
    ]);
    for (const userId of ['u1', 'u2', 'u3']) await events.publish(about('order.created', { userId }));
    const firstOf = async (stream: StreamReader) => {
      const { value } = await stream[Symbol.asyncIterator]().next();
      stream.close();
      return (value as StreamedEvent).event.metadata.userId;
    };
    expect(await Promise.all(streams.map(firstOf))).toEqual(['u1', 'u1', 'u2']);
    const refused = events.stream({ filter, context: { userIds: 'u1' } as unknown as RelevanceContextIn });
    await expect(refused).rejects.toMatchObject({
      code: 'invalid_context',
      details: { pointer: '/context/userIds' },
    });
  });
}
