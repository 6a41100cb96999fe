export { examineRedis, type RedisExamination } from './examine-redis.ts';
export { type RedisBesideOptions, redisBeside } from './redis-beside.ts';
