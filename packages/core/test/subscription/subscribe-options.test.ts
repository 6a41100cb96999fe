import { EventManager } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { FILTER_FIELDS } from '../../src/filter/aliases.ts';
import type { FilterValues } from '../../src/filter/filter-in.ts';
import type { FieldTable } from '../../src/json/read-fields.ts';
import type { OptionValues, RequestValues } from '../../src/subscription/subscribe-options.ts';
import { OPTION_FIELDS, SUBSCRIPTION_FIELDS } from '../../src/subscription/subscription-fields.ts';

/** Complete by their types: a name that is missing here, or too much, does not compile. */
const OPTIONS: { readonly [Name in keyof OptionValues]: true } = {
  ...{ priority: true, batchSize: true, maxConcurrency: true, timeoutMs: true, inFlightMax: true, retryPolicy: true },
  ...{ deadLetterTopic: true, startFrom: true, breaker: true, disableAfterMs: true, useDLQ: true, agingMs: true },
  ...{ rateLimitPerMinute: true, flushIntervalMs: true, smartBatching: true, order: true, orderingKey: true },
  ...{ onFailure: true, realtime: true, fallbackWebhook: true, heartbeatMs: true, reconnectAttempts: true },
  ...{ bufferSize: true, compression: true, deliveryLog: true },
};
const FILTER: { readonly [Name in keyof FilterValues]: true } = {
  ...{ types: true, sources: true, topics: true, priority: true, metadata: true, payload: true, tags: true, or: true },
  ...{ includeTypes: true, excludeTypes: true, userRelevant: true, projectScoped: true, sessionScoped: true },
  ...{ excludeSystemEvents: true, excludeSystemHeartbeat: true, criticalAlways: true, rateLimitPerMinute: true },
  ...{ smartBatching: true },
};
const REQUEST: { readonly [Name in keyof RequestValues]: true } = {
  ...{ name: true, subscriber: true, endpoint: true, secret: true, headers: true, connectionType: true, filter: true },
  ...{ context: true, options: true, realtime: true, fallbackWebhook: true },
};

const namesOf = ({ names }: FieldTable) => [...new Set(names.values())].sort();

describe('what the compiler knows of a request to subscribe', () => {
  it('is what the reader knows: a name of one of them alone would be refused by the other', () => {
    expect(Object.keys(OPTIONS).sort()).toEqual(namesOf(OPTION_FIELDS));
    expect(Object.keys(FILTER).sort()).toEqual(namesOf(FILTER_FIELDS));
    expect([...Object.keys(REQUEST), 'handler', 'topic'].sort()).toEqual(namesOf(SUBSCRIPTION_FIELDS));
  });

  it('is every spelling that is documented', async () => {
    await using events = new EventManager();
    await events.subscribe({
      topic: '#',
      consumer_group: 'aas',
      subscriberId: 'aas',
      handler: () => {},
      filters: { minimum_priority: 'NORMAL', eventTypes: ['a.*', { prefix: 'b' }], $or: [{ tags: ['x'] }] },
      options: { max_concurrency: 2, timeout: 5_000, retry: { backoff: 'linear' }, circuitBreaker: { window: 5 } },
    });
    expect(await events.listSubscriptions()).toMatchObject([{ name: 'aas', options: { maxConcurrency: 2 } }]);
  });

  it('refuses what is mistyped before the program runs, as the bus does when it runs', async () => {
    await using events = new EventManager();
    const handler = () => {};
    const refused = [
      // @ts-expect-error: nobody knows this option.
      events.subscribe({ topic: 'a', handler, options: { maxConcurency: 3 } }),
      // @ts-expect-error: a number.
      events.subscribe({ topic: 'a', handler, options: { maxConcurrency: '3' } }),
      // @ts-expect-error: one of three words.
      events.subscribe({ topic: 'a', handler, options: { order: 'keys' } }),
      // @ts-expect-error: nobody knows this clause.
      events.subscribe({ topic: 'a', handler, filter: { typs: ['a'] } }),
      // @ts-expect-error: no priority.
      events.subscribe({ topic: 'a', handler, filter: { priority: 'URGENT' } }),
      // @ts-expect-error: nobody knows this field.
      events.subscribe({ topic: 'a', handlr: handler }),
    ];
    for (const request of await Promise.allSettled(refused)) expect(request.status).toBe('rejected');
  });
});
