import { storeScript } from './script.ts';

/** What can be asked of an event without its body, exactly as it is; types with `/` between their levels. */
export const SEARCHED = ['type', 'source', 'correlation', 'causation', 'user', 'project'] as const;

/** Of each event: id, lane and flags, topic, body, what is searched, correlation, cause. */
const VALUES = 7;

/**
 * One call appends one batch of distinct ids; the new ones get the positions behind the head in the order given, so the caller can
 * count them out itself. `ARGV`: store, the publisher's clock, and for each event its id, lane and flags, topic, body, the `SEARCHED`
 * fields with NUL in between, and once more its correlation and its cause (empty: none).
 *
 * An entry of the stream has its position as id and three fields: `about`, `body` and `searched`; few, because each is handed over
 * for itself. `about` ends with the topic, which may hold anything; before that stand, apart by spaces, id, lane, flags, time of
 * recording, and the bytes and number of all events up to this one, by which a trim knows what it removed without looking at it.
 *
 * The positions of a flow stand in a sorted set of its own as well, `flow:<correlation>`, and so do the effects of a cause,
 * `cause:<causation>`: they are found among millions of events. Small sets are packed by the server.
 *
 * Answers head before, branch, time of recording, and for each id that was there its ordinal, position, time and whether
 * the body is the same.
 */
export const APPEND_EVENTS = storeScript(`
local head, trimmed, bytes, count = field('head'), field('trimmed'), field('bytes'), field('count')
local recorded = math.max(field('recorded'), tonumber(ARGV[2]))
local recorded_text = text(recorded)
local before = head
local known = {}
local ordinal = 0
for at = 3, #ARGV, ${VALUES} do
  ordinal = ordinal + 1
  local id, body = ARGV[at], ARGV[at + 3]
  local next_text = text(head + 1)
  local kept
  if redis.call('HSETNX', ids_key, id, next_text) == 0 then
    local position = redis.call('HGET', ids_key, id)
    if tonumber(position) > trimmed then
      kept = redis.call('XRANGE', log_key, position .. '-0', position .. '-0')[1]
    end
    if kept then
      local time = string.match(kept[2][2], '^%S+ %S+ %S+ (%d+)')
      known[#known + 1] = { ordinal, tonumber(position), tonumber(time), kept[2][4] == body and 1 or 0 }
    else
      redis.call('HSET', ids_key, id, next_text)
    end
  end
  if not kept then
    head, bytes, count = head + 1, bytes + #body, count + 1
    local about = id .. ' ' .. ARGV[at + 1] .. ' ' .. recorded_text .. ' ' .. text(bytes) .. ' ' .. text(count) .. ' ' .. ARGV[at + 2]
    redis.call('XADD', log_key, next_text .. '-0', 'about', about, 'body', body, 'searched', ARGV[at + 4])
    if ARGV[at + 5] ~= '' then redis.call('ZADD', flow_prefix .. ARGV[at + 5], next_text, next_text) end
    if ARGV[at + 6] ~= '' then redis.call('ZADD', cause_prefix .. ARGV[at + 6], next_text, next_text) end
  end
end
if head > before then
  redis.call('HSET', head_key, 'head', text(head), 'recorded', recorded_text, 'bytes', text(bytes), 'count', text(count))
end
return { before, field('branch'), recorded, known }
`);
