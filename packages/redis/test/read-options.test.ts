import { RedisAdapter, type RedisOptions, redis } from '@event-manager/redis';
import { expect, it } from 'vitest';

const invalid = expect.objectContaining({ code: 'invalid_setting' });

it('takes the parts of an address or a url, and not both', () => {
  for (const options of [{}, { host: 'redis', port: 7000, password: 'secret', db: 2, tls: true }]) {
    expect(() => new RedisAdapter(options)).not.toThrow();
  }
  expect(() => redis({ url: 'rediss://user:secret@redis:7000/2' })).not.toThrow();
  expect(() => redis({ url: 'redis://redis', db: 2 })).toThrow(invalid);
});

it('refuses what it does not know or cannot use, and repeats no secret', () => {
  expect(() => redis({ keyprefix: 'a' } as RedisOptions)).toThrow(TypeError);
  const wrong: readonly object[] = [
    ...[{ host: '' }, { port: 0 }, { port: 65_536 }, { port: '6379' }, { db: -1 }, { db: 1.5 }, { tls: 'true' }],
    ...[{ keyPrefix: '' }, { keyPrefix: 'a b' }, { durability: 'replicated' }, { commandTimeoutMs: 0 }],
    ...[{ ttlMs: 0 }, { maxHistory: 0.5 }, { url: 'http://:secret@redis' }],
  ];
  for (const options of wrong)
    expect(() => redis({ password: undefined, ...options }), JSON.stringify(options)).toThrow(invalid);
  expect(() => redis({ url: 'redis://:secret@redis/a' })).not.toThrow(/secret/);
});

it('wants of the log what it was made with, and nobody gets less than what is owed', () => {
  expect(redis().retention).toBeUndefined();
  const { retention } = redis({ ttlMs: 60_000, maxHistory: 1_000 });
  expect(retention).toEqual({ ageMs: 60_000, eventsMax: 1_000, owedAgeMs: Number.MAX_SAFE_INTEGER });
});
