import { writerScript } from './script.ts';

/** What can be asked of an event without its body, exactly as it is; types with `/` between their levels. */
export const SEARCHED = ['type', 'source', 'correlation', 'causation', 'user', 'project'] as const;

/** Of each event: id, lane and flags, topic, body, what is searched, correlation, cause. */
const VALUES = 7;
/** What `unpack` is given at once, an even number: the stack of Lua is small. */
const UNPACKED_MAX = 1_000;

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
 * A script that fails in the midst of its commands is not undone. So everything is read first; then comes what proves that there is room
 * and a right to write; then the sets of positions, which may be of another program and whose surplus nobody sees; then the
 * entries, of which only the first can be refused; and last what nothing refuses any more. What fails leaves no event behind, and
 * no id of one.
 *
 * Answers head before, branch, time of recording, and for each id that was there its ordinal, position, time and whether
 * the body is the same.
 */
export const APPEND_EVENTS = writerScript(`
local head, trimmed, bytes, count = field('head'), field('trimmed'), field('bytes'), field('count')
local recorded = math.max(field('recorded'), tonumber(ARGV[2]))
local recorded_text = text(recorded)
local before = head
local known, new = {}, {}
for at = 3, #ARGV, ${VALUES} do
  local position = redis.call('HGET', ids_key, ARGV[at])
  local kept
  if position and tonumber(position) > trimmed then
    kept = redis.call('XRANGE', log_key, position .. '-0', position .. '-0')[1]
  end
  if kept then
    local time = string.match(kept[2][2], '^%S+ %S+ %S+ (%d+)')
    local is_same = kept[2][4] == ARGV[at + 3] and 1 or 0
    known[#known + 1] = { (at - 3) / ${VALUES} + 1, tonumber(position), tonumber(time), is_same }
  else
    new[#new + 1] = at
  end
end
if #new == 0 then return { before, field('branch'), recorded, known } end

redis.call('HSET', head_key, 'recorded', recorded_text)
for ordinal, at in ipairs(new) do
  local position = text(before + ordinal)
  if ARGV[at + 5] ~= '' then redis.call('ZADD', flow_prefix .. ARGV[at + 5], position, position) end
  if ARGV[at + 6] ~= '' then redis.call('ZADD', cause_prefix .. ARGV[at + 6], position, position) end
end
local positions = {}
for _, at in ipairs(new) do
  local id, body = ARGV[at], ARGV[at + 3]
  head, bytes, count = head + 1, bytes + #body, count + 1
  local about = id .. ' ' .. ARGV[at + 1] .. ' ' .. recorded_text .. ' ' .. text(bytes) .. ' ' .. text(count) .. ' ' .. ARGV[at + 2]
  redis.call('XADD', log_key, text(head) .. '-0', 'about', about, 'body', body, 'searched', ARGV[at + 4])
  positions[#positions + 1] = id
  positions[#positions + 1] = text(head)
end
for from = 1, #positions, ${UNPACKED_MAX} do
  redis.call('HSET', ids_key, unpack(positions, from, math.min(#positions, from + ${UNPACKED_MAX - 1})))
end
redis.call('HSET', head_key, 'head', text(head), 'bytes', text(bytes), 'count', text(count))
return { before, field('branch'), recorded, known }
`);
