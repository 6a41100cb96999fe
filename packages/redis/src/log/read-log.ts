import type { LostRange, Position, ReadOptions, ReadResult } from '@event-manager/core';
import type { Reply } from '../connect/connection.ts';
import { READ_EVENTS } from '../lua/read-events.ts';
import { followBranch } from './follow-branch.ts';
import type { LogCore } from './log-core.ts';
import { toRecords } from './record.ts';

const MARKS = 4;
const EVERY_LANE = '*';

/** `EventStore.read`, in one script, so that marks and records are of one moment. */
export async function readLog(core: LogCore, after: Position, options: ReadOptions): Promise<ReadResult> {
  const { limit, bytesMax, lanes, until = Number.MAX_SAFE_INTEGER } = options;
  const values = [after, limit, bytesMax, until, lanes === undefined ? EVERY_LANE : lanes.join('')];
  const reply = (await core.connection.ask(READ_EVENTS, ...values)) as readonly Reply[];
  const [head, trimmedThrough, branch, scannedTo] = reply.slice(0, MARKS) as [number, number, number, number];
  if (branch !== core.branch.number) await followBranch(core);
  core.branch.saw(head);
  const records = toRecords(reply.slice(MARKS));
  const lostThrough = Math.min(scannedTo, trimmedThrough);
  if (lostThrough <= after) return withHoles(core.branch.lost, after, { records, scannedTo });
  const lost: LostRange = { from: after + 1, through: lostThrough, cause: 'trimmed' };
  return withHoles(core.branch.lost, lostThrough, { records, scannedTo, lost });
}

/** Tells of a hole behind `after`, and ends before a second range: one answer names one. */
function withHoles(holes: readonly LostRange[], after: Position, result: ReadResult): ReadResult {
  if (holes.length === 0) return result;
  const met = holes.filter(({ from, through }) => through > after && from <= result.scannedTo);
  const [first, second] = result.lost === undefined ? met : [undefined, ...met];
  const scannedTo = second === undefined ? result.scannedTo : Math.max(after, second.from - 1);
  const records = result.records.filter(({ place }) => place.position <= scannedTo);
  if (first === undefined) return { ...result, records, scannedTo };
  const lost = { ...first, from: Math.max(first.from, after + 1), through: Math.min(first.through, scannedTo) };
  return { records, scannedTo, lost };
}
