import { storeScript } from './script.ts';

/** Entries that are taken out of the stream at once: at the largest size of an event that is 16 MiB. */
const AT_ONCE = 64;
/** One read looks past at most so many entries of other lanes, since everybody waits meanwhile. */
const LOOKED_AT_MAX = 10_000;

/**
 * `ARGV`: store, after, limit, bytes, until, lanes as digits (`*`: all). Answers head, trimmed, branch, scanned to, and then position,
 * `about` and body of each record.
 */
export const READ_EVENTS = storeScript(`
local after, limit, bytes_max = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local lanes = ARGV[6]
local head, trimmed = field('head'), field('trimmed')
local last = math.min(head, tonumber(ARGV[5]))
local scanned = math.max(after, math.min(last, trimmed))
local answer = { head, trimmed, field('branch'), 0 }
local records, bytes, looked = 0, 0, 0
while scanned < last and records < limit and bytes < bytes_max and looked < ${LOOKED_AT_MAX} do
  local at_once = lanes == '*' and math.min(${AT_ONCE}, limit - records) or ${AT_ONCE}
  local entries = redis.call('XRANGE', log_key, text(scanned + 1) .. '-0', text(last) .. '-0', 'COUNT', at_once)
  for _, entry in ipairs(entries) do
    if records >= limit or bytes >= bytes_max then break end
    local position = string.match(entry[1], '^%d+')
    local about, body = entry[2][2], entry[2][4]
    scanned, looked = tonumber(position), looked + 1
    if lanes == '*' or string.find(lanes, string.match(about, '^%S+ (%d)'), 1, true) then
      records, bytes = records + 1, bytes + #body
      table.insert(answer, scanned)
      table.insert(answer, about)
      table.insert(answer, body)
    end
  end
  if #entries < at_once and records < limit and bytes < bytes_max then scanned = last end
end
answer[4] = scanned
return answer
`);
