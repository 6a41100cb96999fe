import { SEARCHED } from './append-events.ts';
import { storeScript } from './script.ts';

/** Takes the searched fields apart; `%z` is NUL. */
const PATTERN = `^${SEARCHED.map(() => '([^%z]*)').join('%z')}$`;

/** Entries that are taken out of the stream at once: at the largest size of an event that is 16 MiB. */
const AT_ONCE = 64;
/** One script looks at no further entry behind so many bytes, since everybody waits meanwhile. */
const BYTES_MAX = 4 << 20;

/**
 * `ARGV`: store, from, through, how many entries to look at and to find, `1` to go from the back, lanes as digits (`*`: all), topic (empty:
 * any), how many sets of positions to go by (0: all of the log) and the ends of their names, and for each of the `SEARCHED` fields that is
 * asked for its number, how many values it may have, and these. Answers the last position that was looked at, how many
 * entries and bytes those were, and then position, `about` and body of those that fit. Whoever asks looks at them again:
 * patterns are not for here.
 */
export const SCAN_EVENTS = storeScript(`
local from, through = math.max(tonumber(ARGV[2]), field('trimmed') + 1), tonumber(ARGV[3])
local count, wanted, is_backward, lanes, topic = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1', ARGV[7], ARGV[8]
-- What was to be looked at may have been removed meanwhile.
if from > through then return { is_backward and tonumber(ARGV[2]) or through, 0, 0 } end
local sets = tonumber(ARGV[9])
local conditions = {}
local at = 10 + sets
while at <= #ARGV do
  local condition = { field = tonumber(ARGV[at]), values = {} }
  for value = at + 2, at + 1 + tonumber(ARGV[at + 1]) do condition.values[ARGV[value]] = true end
  at = at + 2 + tonumber(ARGV[at + 1])
  table.insert(conditions, condition)
end
local function fits(fields)
  if #conditions > 0 then
    local searched = { string.match(fields[6], '${PATTERN}') }
    for _, condition in ipairs(conditions) do
      if not condition.values[searched[condition.field]] then return false end
    end
  end
  if lanes == '*' and topic == '' then return true end
  local lane, its_topic = string.match(fields[2], '^%S+ (%d) %d+ %d+ %d+ %d+ (.*)$')
  return (lanes == '*' or string.find(lanes, lane, 1, true)) and (topic == '' or topic == its_topic)
end
local last = is_backward and from or through
local function of_sets(at_once)
  local positions, entries = {}, {}
  for set = 10, 9 + sets do
    local key, low, high = prefix .. ARGV[set], text(from), text(through)
    local members
    if is_backward then members = redis.call('ZREVRANGEBYSCORE', key, high, low, 'LIMIT', 0, at_once)
    else members = redis.call('ZRANGEBYSCORE', key, low, high, 'LIMIT', 0, at_once) end
    for _, member in ipairs(members) do table.insert(positions, tonumber(member)) end
  end
  table.sort(positions, function(a, b) if is_backward then return a > b end return a < b end)
  for at = 1, math.min(#positions, at_once) do
    local id = text(positions[at]) .. '-0'
    table.insert(entries, redis.call('XRANGE', log_key, id, id)[1])
  end
  return entries, #positions >= at_once and positions[at_once] or last
end
local function of_log(at_once)
  local low, high = text(from) .. '-0', text(through) .. '-0'
  local entries
  if is_backward then entries = redis.call('XREVRANGE', log_key, high, low, 'COUNT', at_once)
  else entries = redis.call('XRANGE', log_key, low, high, 'COUNT', at_once) end
  return entries, #entries == at_once and tonumber((string.match(entries[at_once][1], '^%d+'))) or last
end
local answer = { 0, 0, 0 }
local found = 0
while from <= through and answer[2] < count and answer[3] < ${BYTES_MAX} do
  local entries, reached = (sets > 0 and of_sets or of_log)(math.min(${AT_ONCE}, count - answer[2]))
  for _, entry in ipairs(entries) do
    if found >= wanted then return answer end
    local position, fields = tonumber((string.match(entry[1], '^%d+'))), entry[2]
    answer[1], answer[2], answer[3] = position, answer[2] + 1, answer[3] + #fields[4]
    if fits(fields) then
      found = found + 1
      table.insert(answer, position)
      table.insert(answer, fields[2])
      table.insert(answer, fields[4])
    end
  end
  if found >= wanted then return answer end
  answer[1] = reached
  if is_backward then through = reached - 1 else from = reached + 1 end
end
return answer
`);

/**
 * `ARGV`: store, and times. Answers for each time the position of the first event that was recorded then or later, or that behind
 * the head. Time ascends with position, so halving finds it.
 */
export const POSITIONS_SINCE = storeScript(`
local head = field('head')
local answer = {}
for at = 2, #ARGV do
  local since = tonumber(ARGV[at])
  local low, high = field('trimmed') + 1, head + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    local entry = redis.call('XRANGE', log_key, text(middle) .. '-0', text(head) .. '-0', 'COUNT', 1)[1]
    local position = entry and tonumber((string.match(entry[1], '^%d+')))
    if not entry or tonumber((string.match(entry[2][2], '^%S+ %S+ %S+ (%d+)'))) >= since then high = middle
    else low = position + 1 end
  end
  answer[at - 1] = low
end
return answer
`);
