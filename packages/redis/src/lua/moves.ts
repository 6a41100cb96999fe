import { bareScript, HOLD_MS, storeScript } from './script.ts';

/*
 * Where a store stands, in the head: nothing is said while it is in use.
 *
 *   in use, empty ──BEGIN_RESTORE──▶ incomplete ──COMPLETE_RESTORE──▶ in use
 *   in use ──HOLD_STORE──▶ in use, held ──MARK_MOVED──▶ moved ──STAY──▶ in use
 *                              └──LET_GO, or no word of the mover for HOLD_MS──▶ in use
 *
 * While a store is held nobody changes log or state (`writerScript`): what the mover reads is all there is. It holds by the clock of the
 * server, for a while at a time; a hold that ran out cannot be renewed, and the mark is only made by who still holds, in the
 * branch of the log that was read. So a mover that slept marks nothing. Every one of these scripts may be repeated.
 *
 * `BEGIN_RESTORE` gives the store another id, so whoever knew it before is refused by every script; what an earlier attempt left lies
 * below the mark of a trim and is removed in steps, as retention does it, and then the rest by `EMPTY_STORE`.
 */

/** `ARGV`: none. Answers id, format and standing of the store, or nothing. */
export const FIND_STORE = bareScript(`
local head_key = KEYS[1] .. 'head'
local kind = redis.call('TYPE', head_key).ok
if kind == 'none' then return {} end
if kind ~= 'hash' then return { false, false, false } end
return redis.call('HMGET', head_key, 'store', 'format', 'standing')
`);

/** `ARGV`: store, mover, `1` to begin. Answers the branch of the log, or false where another process holds it, or the hold ran out. */
export const HOLD_STORE = storeScript(`
local mover, begins, now = ARGV[2], ARGV[3] == '1', now_ms()
local holder = redis.call('HGET', head_key, 'holder')
if is_held(now) and holder ~= mover then return false end
if not begins and not is_held(now) then return false end
over_limit()
redis.call('HSET', head_key, 'holder', mover, 'held', text(now + ${HOLD_MS}))
return field('branch')
`);

/** `ARGV`: store, mover. */
export const LET_GO = storeScript(`
if redis.call('HGET', head_key, 'holder') == ARGV[2] then redis.call('HDEL', head_key, 'holder', 'held') end
return 0
`);

/** `ARGV`: store, mover, branch. Answers 0 where the mover has not held it all the time. */
export const MARK_MOVED = storeScript(`
if redis.call('HGET', head_key, 'mover') == ARGV[2] then return 1 end
local is_ours = is_held(now_ms()) and redis.call('HGET', head_key, 'holder') == ARGV[2]
if not is_ours or field('branch') ~= tonumber(ARGV[3]) then return 0 end
over_limit()
redis.call('HSET', head_key, 'standing', 'moved', 'mover', ARGV[2])
return 1
`);

/** `ARGV`: store. */
export const STAY = storeScript(`
over_limit()
if redis.call('HGET', head_key, 'standing') == 'moved' then redis.call('HDEL', head_key, 'standing', 'mover', 'holder', 'held') end
return 0
`);

/**
 * `ARGV`: the id that the store is to have, format, life of the server, first position, kinds of records. Answers `1`, or `0` where
 * something is kept.
 */
export const BEGIN_RESTORE = bareScript(`
local prefix, head_key = KEYS[1], KEYS[1] .. 'head'
local standing = redis.call('HGET', head_key, 'standing')
if redis.call('HGET', head_key, 'store') == ARGV[1] then return 1 end
if standing ~= 'incomplete' then
  if standing or redis.call('HGET', head_key, 'head') and redis.call('HGET', head_key, 'head') ~= '0' then return 0 end
  for at = 5, #ARGV do
    if redis.call('EXISTS', prefix .. 'state:' .. ARGV[at]) == 1 then return 0 end
  end
end
redis.call('HSET', head_key, 'store', ARGV[1], 'format', ARGV[2], 'life', ARGV[3], 'branch', '0', 'head', ARGV[4] - 1,
  'trimmed', '9007199254740991', 'recorded', '0', 'bytes', '0', 'count', '0', 'trimmed_bytes', '0', 'trimmed_count', '0',
  'revision', '0', 'token', '0', 'standing', 'incomplete')
return 1
`);

/** `ARGV`: store, first position, kinds of records. Behind it nothing of what was there is left. */
export const EMPTY_STORE = storeScript(`
redis.call('UNLINK', log_key, ids_key, gaps_key, lost_key, leases_key, committers_key)
for at = 3, #ARGV do redis.call('UNLINK', prefix .. 'state:' .. ARGV[at], prefix .. 'keys:' .. ARGV[at]) end
redis.call('HSET', head_key, 'trimmed', ARGV[2] - 1)
return 0
`);

/** `ARGV`: store, from, through: positions that no event was given. What lies between the head and them was lost. */
export const RESTORE_GAP = storeScript(`
local head, from, through = field('head'), tonumber(ARGV[2]), tonumber(ARGV[3])
if through <= head then return 0 end
if from > head + 1 then redis.call('HSET', lost_key, text(head + 1), text(from - 1)) end
redis.call('HSET', head_key, 'head', text(through))
return 0
`);

/** `ARGV`: store, head of the source. What it had last and could not give was lost. */
export const COMPLETE_RESTORE = storeScript(`
if redis.call('HGET', head_key, 'standing') ~= 'incomplete' then return 0 end
local head, last = field('head'), tonumber(ARGV[2])
if last > head then
  redis.call('HSET', lost_key, text(head + 1), text(last))
  redis.call('HSET', head_key, 'head', text(last))
end
redis.call('HDEL', head_key, 'standing')
return 0
`);
