export { type RedisBesideOptions, redisBeside } from './redis-beside.ts';
