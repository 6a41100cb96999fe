import { storeScript, writerScript } from './script.ts';

/**
 * Several commits as one step, each with its own conditions: a refused one changes nothing and spoils no other. `ARGV`: store,
 * committer, number, number of commits; and for each commit `1` if it settles debts, how many leases and changes it has, the leases as
 * resource and token, the changes as kind, key, expected revision (empty: any), `=` to write or `-` to delete, value.
 *
 * A process numbers its commits. One that arrives again, because its answer was lost, is told what came of it; one that arrives
 * late, after its process went on, changes nothing and is answered by nothing.
 *
 * When the memory of the server is full, commits that settle debts go on: they make room in the end, and without them retention
 * could never remove what is in the way. All others are refused, each for itself.
 *
 * Answers a JSON array with one outcome per commit: `{"revision": "7"}`, `{"lost": ["a"]}`, `{"conflict": 2, "revision": "5"}` with the
 * ordinal of the change inside its commit, `{"full": true}`.
 */
export const COMMIT_STATE = writerScript(`
local done = redis.call('HGET', committers_key, ARGV[2])
if done then
  local number, outcomes = string.match(done, '^(%d+) %d+ (.*)$')
  if tonumber(number) == tonumber(ARGV[3]) then return outcomes end
  if tonumber(number) > tonumber(ARGV[3]) then return false end
end

local now = now_ms()
local is_full = false
local probe = redis.pcall('HSET', head_key, 'store', ARGV[1])
if type(probe) == 'table' and probe.err then
  if not string.find(probe.err, 'OOM', 1, true) then return probe end
  is_full = true
  over_limit()
end

local function holds(resource, token)
  local lease = redis.call('HGET', leases_key, resource)
  if not lease then return false end
  local held, expires = string.match(lease, '^(%d+) (%d+)')
  return held == token and tonumber(expires) > now
end
local function revision_of(kind, key)
  local value = redis.call('HGET', prefix .. 'state:' .. kind, key)
  return value and string.match(value, '^%d+') or '0'
end

local present = field('revision')
local outcomes = {}
local at = 5
for commit = 1, tonumber(ARGV[4]) do
  local settles, leases, changes = ARGV[at] == '1', tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local first_change = at + 3 + 2 * leases
  local behind = first_change + 5 * changes
  local lost, is_named, conflict = {}, {}, nil
  for lease = at + 3, first_change - 1, 2 do
    local resource = ARGV[lease]
    if not is_named[resource] and not holds(resource, ARGV[lease + 1]) then
      is_named[resource] = true
      lost[#lost + 1] = resource
    end
  end
  for change = first_change, behind - 1, 5 do
    local expected = ARGV[change + 2]
    if conflict == nil and expected ~= '' then
      local found = revision_of(ARGV[change], ARGV[change + 1])
      if found ~= expected then
        conflict = { conflict = (change - first_change) / 5 + 1, revision = found }
      end
    end
  end
  if #lost > 0 then outcomes[commit] = { lost = lost }
  elseif conflict then outcomes[commit] = conflict
  elseif is_full and not settles then outcomes[commit] = { full = true }
  else
    present = present + 1
    for change = first_change, behind - 1, 5 do
      local kind, key = ARGV[change], ARGV[change + 1]
      if ARGV[change + 3] == '=' then
        redis.call('HSET', prefix .. 'state:' .. kind, key, text(present) .. ' ' .. ARGV[change + 4])
        redis.call('ZADD', prefix .. 'keys:' .. kind, 0, key)
      else
        redis.call('HDEL', prefix .. 'state:' .. kind, key)
        redis.call('ZREM', prefix .. 'keys:' .. kind, key)
      end
    end
    outcomes[commit] = { revision = text(present) }
  end
  at = behind
end
local told = cjson.encode(outcomes)
redis.call('HSET', head_key, 'revision', text(present))
redis.call('HSET', committers_key, ARGV[2], ARGV[3] .. ' ' .. text(now) .. ' ' .. told)
return told
`);

/** `ARGV`: store, committer. Nobody will ask again what became of its last commit. */
export const FORGET_COMMITTER = storeScript(`
over_limit()
return redis.call('HDEL', committers_key, ARGV[2])
`);

/** Where processes that are gone leave something. */
export const LEFT_BEHIND = ['committers', 'leases'] as const;

/**
 * `ARGV`: store, age in milliseconds, one of `LEFT_BEHIND`, cursor (`0` to begin). Removes some of what processes that are long gone left
 * behind, and answers the next cursor: there is a lease for each subscription. No token comes again, so a lease may be forgotten.
 */
export const FORGET_THE_GONE = storeScript(`
over_limit()
local since = now_ms() - tonumber(ARGV[2])
local key = prefix .. ARGV[3]
local next_cursor, some = unpack(redis.call('HSCAN', key, ARGV[4], 'COUNT', 1000))
for at = 1, #some, 2 do
  -- In both the second number is a time.
  if tonumber((string.match(some[at + 1], '^%d+ (%d+)'))) < since then redis.call('HDEL', key, some[at]) end
end
return next_cursor
`);
