import type { ReplayMark } from '../contracts/sink.ts';

/** What tells a receiver of JSON that an event is replayed: a field with the comma behind it; nothing for one that is owed. */
export function replayField(replay: ReplayMark | undefined): string {
  return replay ? `"replay":{"id":"${replay.id}"},` : '';
}
