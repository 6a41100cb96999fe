import { bareScript } from './script.ts';

/**
 * Whether we may run everything that scripts run. A right that is missing would be found in the midst of one otherwise, and what its
 * earlier commands did is not undone. Each command is run on a name where nothing is, and leaves nothing; the first takes no memory,
 * so that a full server is no reason. Answers the commands that are refused.
 */
export const PROVE_RIGHTS = bareScript(`
local nowhere = KEYS[1] .. 'nowhere'
local refused = {}
for _, command in ipairs({
  { 'HDEL', nowhere, 'a' }, { 'HSET', nowhere, 'a', '1' }, { 'HINCRBY', nowhere, 'a', '1' }, { 'HDEL', nowhere, 'a' },
  { 'HGET', nowhere, 'a' }, { 'HMGET', nowhere, 'a' }, { 'HGETALL', nowhere }, { 'HSCAN', nowhere, '0' },
  { 'XADD', nowhere, 'NOMKSTREAM', '*', 'a', '1' }, { 'XRANGE', nowhere, '-', '+' }, { 'XREVRANGE', nowhere, '+', '-' },
  { 'XTRIM', nowhere, 'MINID', '0' },
  { 'ZADD', nowhere, 'XX', '0', 'a' }, { 'ZREM', nowhere, 'a' }, { 'ZREMRANGEBYSCORE', nowhere, '0', '0' },
  { 'ZRANGEBYSCORE', nowhere, '0', '0' }, { 'ZREVRANGEBYSCORE', nowhere, '0', '0' }, { 'ZRANGEBYLEX', nowhere, '-', '+' },
  { 'TIME' },
}) do
  local answer = redis.pcall(unpack(command))
  if type(answer) == 'table' and answer.err then
    local is_right = string.find(answer.err, 'NOPERM', 1, true) or string.find(answer.err, "The user executing", 1, true)
    if not is_right then return answer end
    table.insert(refused, command[1])
  end
end
return refused
`);
