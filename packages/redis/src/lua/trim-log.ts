import { storeScript, writerScript } from './script.ts';

/**
 * `ARGV`: store, through. Moves the mark that every read respects; entries and ids behind it go afterwards, by `CLEAN_LOG`. Answers the
 * first and last position that it removed, or nothing. Goes on when the memory is full: it is what makes room.
 */
export const TRIM_LOG = writerScript(`
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

/** Entries that are taken out of the stream at once: at the largest size of an event that is 16 MiB. */
const AT_ONCE = 64;
/** One script removes at most so many bytes, since everybody waits meanwhile. */
const BYTES_MAX = 4 << 20;

/**
 * `ARGV`: store, how many entries at most. Answers 1 while there are more. Of a flow only what stands at or below each entry goes with
 * it: all at once that might be millions.
 */
export const CLEAN_LOG = storeScript(`
local trimmed, left, bytes = field('trimmed'), tonumber(ARGV[2]), 0
while left > 0 and bytes < ${BYTES_MAX} do
  local entries = redis.call('XRANGE', log_key, '-', text(trimmed) .. '-0', 'COUNT', math.min(left, ${AT_ONCE}))
  if #entries == 0 then return 0 end
  local position
  for _, entry in ipairs(entries) do
    position = string.match(entry[1], '^%d+')
    local id = string.match(entry[2][2], '^%S+')
    local correlation, causation = string.match(entry[2][6], '^[^%z]*%z[^%z]*%z([^%z]*)%z([^%z]*)')
    if correlation and correlation ~= '' then redis.call('ZREMRANGEBYSCORE', flow_prefix .. correlation, '-inf', position) end
    if causation and causation ~= '' then redis.call('ZREMRANGEBYSCORE', cause_prefix .. causation, '-inf', position) end
    -- It may have been appended anew since.
    if tonumber(redis.call('HGET', ids_key, id) or '0') <= trimmed then redis.call('HDEL', ids_key, id) end
    bytes = bytes + #entry[2][4]
  end
  redis.call('XTRIM', log_key, 'MINID', text(tonumber(position) + 1) .. '-0')
  left = left - #entries
end
return 1
`);
