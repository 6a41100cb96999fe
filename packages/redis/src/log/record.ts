import { EventManagerError, type Lane, type Recorded } from '@event-manager/core';
import type { Reply } from '../connect/connection.ts';

/** id, lane, flags, time of recording, bytes and number of all events up to this one, topic: see `lua/append-events.ts`. */
const ABOUT = /^(\S+) ([0-3]) (\d{1,3}) (\d+) \d+ \d+ (.*)$/s;

/** How scripts answer with events: position, `about`, body, position, `about`, body, … */
export function toRecords(replies: readonly Reply[]): Recorded[] {
  const records: Recorded[] = [];
  for (let at = 0; at < replies.length; at += 3) {
    records.push(toRecorded(replies[at] as number, replies[at + 1] as Buffer, replies[at + 2] as Buffer));
  }
  return records;
}

export function toRecorded(position: number, about: Buffer, body: Buffer): Recorded {
  const match = ABOUT.exec(about.toString());
  if (match === null) {
    throw new EventManagerError(
      'corrupt_record',
      `What Redis keeps at position ${position} was not written by this bus.`,
    );
  }
  const [, id, lane, flags, recorded, topic] = match;
  return {
    id: id!,
    place: { partition: 0, position },
    recordedAtMs: Number(recorded),
    topic: topic!,
    lane: Number(lane) as Lane,
    flags: Number(flags),
    // A part of what came over the network: whoever keeps the body would keep all of that.
    body: new Uint8Array(body),
  };
}
