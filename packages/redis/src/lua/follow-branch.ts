import { storeScript } from './script.ts';

/** How far the head, the revisions and the tokens of leases move when the log branches: further than anything that was given. */
const STRIDE = 2 ** 24;

/** How often it is written down that the store was in use. */
const SEEN_EVERY_MS = 60_000;

/**
 * `ARGV`: store, the life of the server that we are connected to (empty: the one that is known), `1` if it may lack something,
 * the head that this process knows, and for how long the server runs. A server that ran already while the store was in use in another
 * life was a copy then, whatever it says of itself: after an hour without copies of its own it has forgotten that. Answers branch, head, and the lost ranges as from, through, from, through, …
 *
 * See `log/log-branch.ts`. Goes on when the memory is full: nobody could connect to a full server that was started anew, to make room.
 */
export const FOLLOW_BRANCH = storeScript(`
local life, may_lack, known = ARGV[2], ARGV[3] == '1', tonumber(ARGV[4])
local head = field('head')
local is_another = life ~= '' and redis.call('HGET', head_key, 'life') ~= life
if is_another then
  local started = now_ms() - tonumber(ARGV[5])
  may_lack = may_lack or started < field('seen')
  over_limit()
  redis.call('HSET', head_key, 'life', life)
end
if known > head or (is_another and may_lack) then
  over_limit()
  local through = math.max(head, known) + ${STRIDE}
  redis.call('HSET', gaps_key, text(head + 1), text(through))
  redis.call('HSET', head_key, 'head', text(through))
  redis.call('HINCRBY', head_key, 'branch', 1)
  redis.call('HINCRBY', head_key, 'revision', ${STRIDE})
  redis.call('HINCRBY', head_key, 'token', ${STRIDE})
  head = through
end
local now = now_ms()
-- Not worth a failure: a server that takes no writes now may be read all the same.
if math.abs(now - field('seen')) > ${SEEN_EVERY_MS} then redis.pcall('HSET', head_key, 'seen', text(now)) end
local gaps = redis.call('HGETALL', gaps_key)
for at = 1, #gaps, 2 do
  local from, through = tonumber(gaps[at]), tonumber(gaps[at + 1])
  -- Whoever knows the end of a gap came after it.
  if from <= known and known < through then
    local told = tonumber(redis.call('HGET', lost_key, gaps[at]) or '0')
    if known > told then
      over_limit()
      redis.call('HSET', lost_key, gaps[at], text(known))
      redis.call('HINCRBY', head_key, 'branch', 1)
    end
  end
end
local answer = { field('branch'), head }
local lost = redis.call('HGETALL', lost_key)
for at = 1, #lost do answer[#answer + 1] = tonumber(lost[at]) end
return answer
`);
