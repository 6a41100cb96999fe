import { storeScript } from './script.ts';

/**
 * `ARGV`: store, from, through, count, and `1` to go from the back. Answers position, `about` and body of each entry between the two,
 * both inside, at most `count`.
 */
export const SCAN_EVENTS = storeScript(`
local from, through = math.max(tonumber(ARGV[2]), field('trimmed') + 1), tonumber(ARGV[3])
if from > through then return {} end
local entries
if ARGV[5] == '1' then
  entries = redis.call('XREVRANGE', log_key, text(through) .. '-0', text(from) .. '-0', 'COUNT', ARGV[4])
else
  entries = redis.call('XRANGE', log_key, text(from) .. '-0', text(through) .. '-0', 'COUNT', ARGV[4])
end
local answer = {}
for _, entry in ipairs(entries) do
  table.insert(answer, tonumber((string.match(entry[1], '^%d+'))))
  table.insert(answer, entry[2][2])
  table.insert(answer, entry[2][4])
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
