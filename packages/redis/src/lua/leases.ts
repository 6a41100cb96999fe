import { storeScript } from './script.ts';

/**
 * A lease is `token end duration owner`, in milliseconds by the clock of the server. When that clock is set back the end lies
 * further ahead than the duration; whoever looks at such a lease brings its end down to its duration from now, so that nobody waits
 * for longer. Its holder loses nothing: its own clock ends what it was given no later than that.
 *
 * Leases are given and renewed also when the memory is full: they are few, and without them nothing would be delivered.
 */
const LEASES = `
local now = now_ms()
local function look_at(resource)
  local lease = redis.call('HGET', leases_key, resource)
  if not lease then return nil end
  local token, ends, duration, owner = string.match(lease, '^(%d+) (%d+) (%d+) (.*)$')
  ends, duration = tonumber(ends), tonumber(duration)
  if ends > now + duration then
    ends = now + duration
    redis.call('HSET', leases_key, resource, token .. ' ' .. text(ends) .. ' ' .. text(duration) .. ' ' .. owner)
  end
  return { token = token, owner = owner, ends = ends, is_held = ends > now }
end
local function write(resource, token, duration, owner)
  local value = token .. ' ' .. text(now + duration) .. ' ' .. text(duration) .. ' ' .. owner
  redis.call('HSET', leases_key, resource, value)
end
over_limit()
`;

/** `ARGV`: store, owner, duration, resources. Answers ordinal and token of those that nobody else holds. */
export const ACQUIRE_LEASES = storeScript(`${LEASES}
local answer = {}
for at = 4, #ARGV do
  local lease = look_at(ARGV[at])
  if not lease or lease.owner == ARGV[2] or not lease.is_held then
    local token = redis.call('HINCRBY', head_key, 'token', 1)
    write(ARGV[at], text(token), tonumber(ARGV[3]), ARGV[2])
    table.insert(answer, at - 3)
    table.insert(answer, token)
  end
end
return answer
`);

/** `ARGV`: store, resources. Answers an owner for each, or false. */
export const LEASE_HOLDERS = storeScript(`${LEASES}
local answer = {}
for at = 2, #ARGV do
  local lease = look_at(ARGV[at])
  answer[at - 1] = lease and lease.is_held and lease.owner or false
end
return answer
`);

/** `ARGV`: store, duration, then resource and token of each. Answers the ordinals of those that were still held and are extended. */
export const RENEW_LEASES = storeScript(`${LEASES}
local answer = {}
for at = 3, #ARGV, 2 do
  local lease = look_at(ARGV[at])
  if lease and lease.is_held and lease.token == ARGV[at + 1] then
    write(ARGV[at], lease.token, tonumber(ARGV[2]), lease.owner)
    table.insert(answer, (at - 1) / 2)
  end
end
return answer
`);

/** `ARGV`: store, then resource and token of each. */
export const RELEASE_LEASES = storeScript(`${LEASES}
for at = 2, #ARGV, 2 do
  local lease = look_at(ARGV[at])
  if lease and lease.token == ARGV[at + 1] then redis.call('HDEL', leases_key, ARGV[at]) end
end
return 0
`);
