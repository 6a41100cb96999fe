import { bareScript } from './script.ts';

/** What is written by another version is not touched. */
export const FORMAT = 1;

/**
 * Makes the store where there is none, under the id that is given, and answers with id, format and standing (see `moves.ts`) of the one that
 * is there. Two processes that come at once make one. Where something of a store is left without its head, or the name of the head is
 * another program's, none is made and nothing is answered: positions would be given that are taken.
 */
export const MAKE_STORE = bareScript(`
local head_key = KEYS[1] .. 'head'
local kind = redis.call('TYPE', head_key).ok
if kind ~= 'hash' and kind ~= 'none' then return {} end
if kind == 'none' then
  for _, name in ipairs({ 'log', 'ids', 'gaps', 'lost', 'leases', 'committers' }) do
    if redis.call('EXISTS', KEYS[1] .. name) == 1 then return {} end
  end
  redis.call('HSET', head_key, 'store', ARGV[1], 'format', ARGV[2], 'life', ARGV[3], 'branch', '0', 'head', '0',
    'trimmed', '0', 'recorded', '0', 'bytes', '0', 'count', '0', 'trimmed_bytes', '0', 'trimmed_count', '0',
    'revision', '0', 'token', '0')
end
return redis.call('HMGET', head_key, 'store', 'format', 'standing')
`);
