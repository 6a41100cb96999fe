import { storeScript } from './script.ts';

/** What can be asked of an event without its body, exactly as it is; types with `/` between their levels. */
export const SEARCHED = ['type', 'source', 'correlation', 'causation', 'user', 'project'] as const;

/** Of each event: id, lane and flags, topic, body come first. */
const VALUES = 4 + SEARCHED.length;
const [CORRELATION, CAUSATION] = [4 + SEARCHED.indexOf('correlation'), 4 + SEARCHED.indexOf('causation')];
const FIELDS = SEARCHED.map((name, at) => `'${name}', ARGV[at + ${4 + at}]`).join(', ');

/**
 * One call appends one batch of distinct ids; the new ones get the positions behind the head in the order given, so the caller can
 * count them out itself. `ARGV`: store, the publisher's clock, and for each event its id, lane and flags, topic, body, and the fields that searches ask for.
 *
 * An entry of the stream has its position as id and the fields `about`, `body`, and the `SEARCHED`, which are empty where an event
 * has none: entries of the same fields share their names in memory. `about` ends with the topic, which may hold
 * anything; before that stand, apart by spaces, id, lane, flags, time of recording, and the bytes and number of all events up to
 * this one, by which a trim knows what it removed without looking at it.
 *
 * What has a correlation or a cause stands in the sorted set `flows` as well, so that a flow is found among millions of events:
 * `c` or `a`, the id, NUL, the position.
 *
 * Answers head before, branch, time of recording, and for each id that was there its ordinal, position, time and whether
 * the body is the same.
 */
export const APPEND_EVENTS = storeScript(`
local head, trimmed, bytes, count = field('head'), field('trimmed'), field('bytes'), field('count')
local recorded = math.max(field('recorded'), tonumber(ARGV[2]))
local before = head
local known = {}
local ordinal = 0
for at = 3, #ARGV, ${VALUES} do
  ordinal = ordinal + 1
  local id, body = ARGV[at], ARGV[at + 3]
  local kept
  if redis.call('HSETNX', ids_key, id, text(head + 1)) == 0 then
    local position = redis.call('HGET', ids_key, id)
    if tonumber(position) > trimmed then
      kept = redis.call('XRANGE', log_key, position .. '-0', position .. '-0')[1]
    end
    if kept then
      local time = string.match(kept[2][2], '^%S+ %S+ %S+ (%d+)')
      known[#known + 1] = { ordinal, tonumber(position), tonumber(time), kept[2][4] == body and 1 or 0 }
    else
      redis.call('HSET', ids_key, id, text(head + 1))
    end
  end
  if not kept then
    head, bytes, count = head + 1, bytes + #body, count + 1
    local about = id .. ' ' .. ARGV[at + 1] .. ' ' .. text(recorded) .. ' ' .. text(bytes) .. ' ' .. text(count)
    redis.call('XADD', log_key, text(head) .. '-0', 'about', about .. ' ' .. ARGV[at + 2], 'body', body, ${FIELDS})
    if ARGV[at + ${CORRELATION}] ~= '' then redis.call('ZADD', flows_key, 0, 'c' .. ARGV[at + ${CORRELATION}] .. '\\0' .. padded(head)) end
    if ARGV[at + ${CAUSATION}] ~= '' then redis.call('ZADD', flows_key, 0, 'a' .. ARGV[at + ${CAUSATION}] .. '\\0' .. padded(head)) end
  end
end
if head > before then
  redis.call('HSET', head_key, 'head', text(head), 'recorded', text(recorded), 'bytes', text(bytes), 'count', text(count))
end
return { before, field('branch'), recorded, known }
`);
