import { storeScript } from './script.ts';

/** `ARGV`: store, and for each event wanted `#` with its position or its id. Answers position, `about` and body, or false. */
export const GET_EVENTS = storeScript(`
local trimmed = field('trimmed')
local answer = {}
for at = 2, #ARGV do
  local position = string.match(ARGV[at], '^#(%d+)$') or redis.call('HGET', ids_key, ARGV[at])
  local entry
  if position and tonumber(position) > trimmed then
    entry = redis.call('XRANGE', log_key, position .. '-0', position .. '-0')[1]
  end
  answer[at - 1] = entry and { tonumber(position), entry[2][2], entry[2][4] } or false
end
return answer
`);
