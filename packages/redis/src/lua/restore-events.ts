import { storeScript } from './script.ts';

/** Position and time of recording, and what `APPEND_EVENTS` is given of each event. */
const VALUES = 9;

/**
 * `ARGV`: store, and for each event position, time of recording, and what `APPEND_EVENTS` is given. Writes them where they stood; what
 * is passed over was lost. It may be repeated: what the head has passed is written already.
 */
export const RESTORE_EVENTS = storeScript(`
local head, bytes, count, recorded = field('head'), field('bytes'), field('count'), field('recorded')
for at = 2, #ARGV, ${VALUES} do
  local position, position_text, id, body = tonumber(ARGV[at]), ARGV[at], ARGV[at + 2], ARGV[at + 5]
  if position > head then
    if position > head + 1 then redis.call('HSET', lost_key, text(head + 1), text(position - 1)) end
    head, bytes, count, recorded = position, bytes + #body, count + 1, tonumber(ARGV[at + 1])
    local about = id .. ' ' .. ARGV[at + 3] .. ' ' .. text(recorded) .. ' ' .. text(bytes) .. ' ' .. text(count) .. ' ' .. ARGV[at + 4]
    redis.call('XADD', log_key, position_text .. '-0', 'about', about, 'body', body, 'searched', ARGV[at + 6])
    redis.call('HSET', ids_key, id, position_text)
    if ARGV[at + 7] ~= '' then redis.call('ZADD', flow_prefix .. ARGV[at + 7], position, position_text) end
    if ARGV[at + 8] ~= '' then redis.call('ZADD', cause_prefix .. ARGV[at + 8], position, position_text) end
  end
end
redis.call('HSET', head_key, 'head', text(head), 'recorded', text(recorded), 'bytes', text(bytes), 'count', text(count))
return 0
`);
