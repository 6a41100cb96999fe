import { bareScript } from './script.ts';

/** What is written by another version is not touched. */
export const FORMAT = 1;

/**
 * Makes the store where there is none, under the id that is given, and answers with the id and the format of the one that is
 * there. Two processes that come at once make one.
 */
export const MAKE_STORE = bareScript(`
local head_key = KEYS[1] .. 'head'
if redis.call('EXISTS', head_key) == 0 then
  redis.call('HSET', head_key, 'store', ARGV[1], 'format', ARGV[2], 'life', ARGV[3], 'branch', '0', 'head', '0',
    'trimmed', '0', 'recorded', '0', 'bytes', '0', 'count', '0', 'trimmed_bytes', '0', 'trimmed_count', '0',
    'revision', '0', 'token', '0')
end
return redis.call('HMGET', head_key, 'store', 'format')
`);
