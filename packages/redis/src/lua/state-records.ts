import { storeScript } from './script.ts';

/** Records that are taken out of the hash at once: at the largest size of what they hold that is some 16 MiB. */
const AT_ONCE = 64;
/** One script takes no further ones behind so many bytes, since everybody waits meanwhile. */
const BYTES_MAX = 4 << 20;

/*
 * The records of a kind are a hash, `state:<kind>`, from key to revision and JSON with a space between; beside it stands a sorted set
 * of its keys, `keys:<kind>`, all of one score, which the server keeps in the order of bytes.
 */

/**
 * `ARGV`: store, kind, least and greatest key as the server spells such bounds, count. Answers how many keys that are, and then key,
 * value, key, value, … of as many of them as one script may take.
 */
export const LOAD_STATE = storeScript(`
local keys = redis.call('ZRANGEBYLEX', prefix .. 'keys:' .. ARGV[2], ARGV[3], ARGV[4], 'LIMIT', 0, ARGV[5])
local answer, bytes = { #keys }, 0
for from = 1, #keys, ${AT_ONCE} do
  if bytes >= ${BYTES_MAX} then break end
  local through = math.min(#keys, from + ${AT_ONCE - 1})
  local values = redis.call('HMGET', prefix .. 'state:' .. ARGV[2], unpack(keys, from, through))
  for at = from, through do
    local value = values[at - from + 1]
    bytes = bytes + #value
    table.insert(answer, keys[at])
    table.insert(answer, value)
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
