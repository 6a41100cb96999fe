import { storeScript } from './script.ts';

/** Keys that `unpack` is given at once: the stack of Lua is small. */
const AT_ONCE = 1_000;

/*
 * The records of a kind are a hash, `state:<kind>`, from key to revision and JSON with a space between; beside it stands a sorted set
 * of its keys, `keys:<kind>`, all of one score, which the server keeps in the order of bytes.
 */

/** `ARGV`: store, kind, least and greatest key as the server spells such bounds, count. Answers key, value, key, value, … */
export const LOAD_STATE = storeScript(`
local keys = redis.call('ZRANGEBYLEX', prefix .. 'keys:' .. ARGV[2], ARGV[3], ARGV[4], 'LIMIT', 0, ARGV[5])
local answer = {}
for from = 1, #keys, ${AT_ONCE} do
  local through = math.min(#keys, from + ${AT_ONCE - 1})
  local values = redis.call('HMGET', prefix .. 'state:' .. ARGV[2], unpack(keys, from, through))
  for at = from, through do
    table.insert(answer, keys[at])
    table.insert(answer, values[at - from + 1])
  end
end
return answer
`);

/** `ARGV`: store, kind, keys. Answers a value for each, or false. */
export const GET_STATE = storeScript(`
local answer = {}
for at = 3, #ARGV do answer[at - 2] = redis.call('HGET', prefix .. 'state:' .. ARGV[2], ARGV[at]) end
return answer
`);
