import { createHash } from 'node:crypto';

/** A program that the server runs as one step: nobody sees the half of it, and it is written to the file as one. */
export interface Script {
  readonly source: string;
  /** The server knows it by this once it has run it. */
  readonly digest: string;
}

/** What a script is given: text as UTF-8, bytes as they are. */
export type ScriptValue = string | number | Uint8Array;

/** How long a process that moves the store and says nothing is believed to be there: see `moves.ts`. */
export const HOLD_MS = 10_000;

/**
 * What all scripts begin with. `KEYS[1]` is what the names of the store begin with: the others are made of it, because the kinds
 * of records are many and the store lies on one server. `ARGV[1]` is the id of the store: one that was emptied, or emptied and
 * begun anew, is not the one that this process knows, and nothing may be done to it.
 *
 * Numbers are written out by `text`, since Lua would write the large ones with an exponent. `over_limit` lets what must go on
 * even when the memory is full go on: the server refuses only the first command of a script that writes, and only one that
 * may take memory.
 */
const PROLOGUE = `
local prefix = KEYS[1]
local head_key, log_key, ids_key = prefix .. 'head', prefix .. 'log', prefix .. 'ids'
local gaps_key, lost_key = prefix .. 'gaps', prefix .. 'lost'
local flow_prefix, cause_prefix = prefix .. 'flow:', prefix .. 'cause:'
local leases_key, committers_key = prefix .. 'leases', prefix .. 'committers'
local function text(number) return string.format('%.0f', number) end
local function over_limit() redis.call('HDEL', head_key, 'nothing') end
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function field(name) return tonumber(redis.call('HGET', head_key, name) or '0') end
local standing = redis.call('HMGET', head_key, 'store', 'standing', 'held')
local function is_held(now)
  -- A hold that ends later than any lasts is of a time before the clock was set back.
  local ends = tonumber(standing[3] or '0')
  return ends > now and ends <= now + ${HOLD_MS}
end
if standing[1] ~= ARGV[1] then
  return redis.error_reply('GONE What this store kept is not there any more.')
end
`;

const IN_USE = `
if standing[2] == 'moved' then return redis.error_reply('LEFT What this store kept is in another place.') end
if standing[3] and is_held(now_ms()) then return redis.error_reply('HELD This store is being moved.') end
`;

/** A script about a store that is there. */
export function storeScript(body: string): Script {
  return bareScript(PROLOGUE + body);
}

/** One that changes what a store keeps: refused while it is moved, and afterwards. */
export function writerScript(body: string): Script {
  return storeScript(IN_USE + body);
}

/** A script that begins with nothing. */
export function bareScript(source: string): Script {
  return { source, digest: createHash('sha1').update(source).digest('hex') };
}
