import { type Event, priorityName } from '@event-manager/core/portable';
import { plain } from './plain.ts';

const PAYLOAD_CHARACTERS = 200;

/** An event in one line: when, how urgent, what, where, who, which, and the beginning of what it says. */
export function eventLine(event: Event): string {
  const payload = JSON.stringify(event.payload);
  const shown = payload.length > PAYLOAD_CHARACTERS ? `${payload.slice(0, PAYLOAD_CHARACTERS)}…` : payload;
  const topic = event.topic === event.type ? '' : ` on ${event.topic}`;
  const time = new Date(event.timestamp).toISOString();
  const priority = priorityName(event.priority);
  return plain(`${time}  ${priority.padEnd(8)}  ${event.type}${topic}  from ${event.source}  ${event.id}  ${shown}`);
}
