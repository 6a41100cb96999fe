import { isEventManagerError } from '@event-manager/core';
import { expect, it } from 'vitest';
import { settleConfiguration } from '../../src/configuration/index.ts';

const DATABASE = { EVENT_MANAGER_DATABASE_URL: 'postgresql://database/events' };
const OURS = 'rediss://user:hidden-word@redis.internal:7000/2';

function settle(environment: Readonly<Record<string, string>>) {
  return settleConfiguration({ args: [], environment, homeDirectory: '/home/somebody' });
}

/** The words of the refusal. */
function refusal(environment: Readonly<Record<string, string>>): string {
  try {
    settle(environment);
  } catch (error) {
    if (isEventManagerError(error, 'invalid_setting')) return `${error.message}${JSON.stringify(error.details)}`;
    throw error;
  }
  return expect.fail('It was accepted.');
}

it('puts a Redis beside the database, whoever gives its address; our own name wins', () => {
  const both = { ...DATABASE, EVENT_MANAGER_REDIS_URL: OURS, REDIS_URL: 'redis://other' };
  expect(settle(both).configuration).toMatchObject({ redisUrl: OURS, redisKeyPrefix: 'dadms:events:' });
  const shared = settle({ ...DATABASE, REDIS_URL: 'redis://redis:6379', EVENT_MANAGER_REDIS_KEY_PREFIX: 'bus:' });
  expect(shared.configuration).toMatchObject({ redisUrl: 'redis://redis:6379', redisKeyPrefix: 'bus:' });
  expect(shared.warnings).toEqual([]);
});

it('refuses a Redis of our own without a database, and only warns of one that others share', () => {
  const told = refusal({ EVENT_MANAGER_REDIS_URL: OURS });
  expect(told).toMatch(/redisUrl \(EVENT_MANAGER_REDIS_URL\) needs a database beside it: the adapter is journal/);
  expect(told).toContain('EVENT_MANAGER_DATABASE_URL');
  expect(told).not.toContain('hidden-word');
  const { warnings } = settle({ REDIS_URL: 'what another program wants', EVENT_MANAGER_REDIS_KEY_PREFIX: 'bus:' });
  expect(warnings).toEqual([
    'The setting redisUrl (REDIS_URL) is not used: the adapter is journal.',
    'The setting redisKeyPrefix (EVENT_MANAGER_REDIS_KEY_PREFIX) is not used: the adapter is journal.',
  ]);
  expect(settle({ ...DATABASE, EVENT_MANAGER_REDIS_KEY_PREFIX: 'bus:' }).warnings).toEqual([
    'The setting redisKeyPrefix (EVENT_MANAGER_REDIS_KEY_PREFIX) is not used: no Redis is given.',
  ]);
});

it('refuses what is no address of a Redis or no prefix, without repeating it', () => {
  const wrong = [
    'hidden-word',
    'http://:hidden-word@redis',
    'redis://:hidden-word@',
    'redis://:hidden-word@redis:99999',
    'redis://:hidden-word@redis/events',
    'redis://:hidden-word@redis/0?tls=true',
    'redis://:hidden/word@redis',
  ];
  for (const url of wrong) {
    const told = refusal({ ...DATABASE, REDIS_URL: url });
    expect(told).toMatch(/redisUrl \(REDIS_URL\) must be an address such as redis:/);
    expect(told).not.toContain('hidden');
  }
  expect(refusal({ ...DATABASE, EVENT_MANAGER_REDIS_KEY_PREFIX: 'a b' })).toMatch(/redisKeyPrefix .* must be/);
});

it('keeps everything in a Redis where the adapter says so, and needs its address', () => {
  const whole = { EVENT_MANAGER_ADAPTER: 'redis', EVENT_MANAGER_REDIS_URL: OURS };
  const asked = settle({ ...whole, EVENT_MANAGER_DATABASE_DURABILITY: 'relaxed' });
  expect(asked.configuration).toMatchObject({ adapter: 'redis', redisUrl: OURS, databaseDurability: 'relaxed' });
  // What goes for any server that keeps events has its effect; what is about PostgreSQL alone has none.
  expect(asked.warnings).toEqual([]);
  expect(settle({ ...whole, EVENT_MANAGER_DATABASE_SCHEMA: 'other' }).warnings).toEqual([
    'The setting databaseSchema (EVENT_MANAGER_DATABASE_SCHEMA) is not used: the adapter is redis.',
  ]);
  expect(refusal({ EVENT_MANAGER_ADAPTER: 'redis' })).toMatch(/needs a Redis: .* EVENT_MANAGER_REDIS_URL/);
  expect(refusal({ ...whole, ...DATABASE })).toMatch(/databaseUrl .* contradicts adapter/);
  const wrong = refusal({ ...whole, EVENT_MANAGER_REDIS_URL: 'http://:hidden-word@redis' });
  expect(wrong).toMatch(/redisUrl .* must be an address such as redis:/);
  expect(wrong).not.toContain('hidden-word');
});
