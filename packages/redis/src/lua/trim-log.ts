import { storeScript } from './script.ts';

/**
 * `ARGV`: store, through. Moves the mark that every read respects; entries and ids behind it go afterwards, by `CLEAN_LOG`. Answers the
 * first and last position that it removed, or nothing. Goes on when the memory is full: it is what makes room.
 */
export const TRIM_LOG = storeScript(`
local trimmed = field('trimmed')
local through = math.min(tonumber(ARGV[2]), field('head'))
if through <= trimmed then return {} end
over_limit()
local last = redis.call('XREVRANGE', log_key, text(through) .. '-0', '-', 'COUNT', 1)[1]
if last then
  local bytes, count = string.match(last[2][2], '^%S+ %S+ %S+ %d+ (%d+) (%d+)')
  redis.call('HSET', head_key, 'trimmed_bytes', bytes, 'trimmed_count', count)
end
redis.call('HSET', head_key, 'trimmed', text(through))
for _, key in ipairs({ gaps_key, lost_key }) do
  local ranges = redis.call('HGETALL', key)
  for at = 1, #ranges, 2 do
    if tonumber(ranges[at + 1]) <= through then redis.call('HDEL', key, ranges[at]) end
  end
end
return { trimmed + 1, through }
`);

/** `ARGV`: store, how many entries at once. Answers 1 while there are more. */
export const CLEAN_LOG = storeScript(`
local trimmed = field('trimmed')
local entries = redis.call('XRANGE', log_key, '-', text(trimmed) .. '-0', 'COUNT', ARGV[2])
if #entries == 0 then return 0 end
for _, entry in ipairs(entries) do
  local id = string.match(entry[2][2], '^%S+')
  local correlation, causation = string.match(entry[2][6], '^[^%z]*%z[^%z]*%z([^%z]*)%z([^%z]*)')
  if correlation and correlation ~= '' then redis.call('ZREMRANGEBYSCORE', flow_prefix .. correlation, '-inf', text(trimmed)) end
  if causation and causation ~= '' then redis.call('ZREMRANGEBYSCORE', cause_prefix .. causation, '-inf', text(trimmed)) end
  -- It may have been appended anew since.
  if tonumber(redis.call('HGET', ids_key, id) or '0') <= trimmed then redis.call('HDEL', ids_key, id) end
end
redis.call('XTRIM', log_key, 'MINID', text(tonumber((string.match(entries[#entries][1], '^%d+'))) + 1) .. '-0')
return #entries == tonumber(ARGV[2]) and 1 or 0
`);
