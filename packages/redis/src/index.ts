export { examineRedis, type RedisExamination } from './examine-redis.ts';
export type { RedisOptions } from './read-options.ts';
export { redis } from './redis.ts';
export { RedisAdapter } from './redis-adapter.ts';
export { type RedisBesideOptions, redisBeside } from './redis-beside.ts';
