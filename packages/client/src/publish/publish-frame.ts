import type { PendingEvent } from './pending-event.ts';

/** Beyond this a larger frame saves nothing and only makes the first of its events wait for the last. */
const FRAME_BYTES = 256 * 1024;

export interface BuiltFrame {
  readonly text: string;
  readonly events: readonly PendingEvent[];
  /** These fit into no frame. */
  readonly tooLarge: readonly PendingEvent[];
  /** Where in the list the next frame begins. */
  readonly next: number;
}

/** Puts as many events as fit into one frame, in order, from place `from` of the list. */
export function publishFrame(
  ref: number,
  waiting: readonly PendingEvent[],
  from: number,
  room: { readonly eventsMax: number; readonly bytesMax: number },
): BuiltFrame {
  const head = `{"type":"publish","ref":${ref},"events":[`;
  const tail = ']}';
  const bytesMost = Math.min(room.bytesMax, FRAME_BYTES);
  const events: PendingEvent[] = [];
  const tooLarge: PendingEvent[] = [];
  let text = head;
  let bytes = head.length + tail.length;
  let next = from;
  for (; next < waiting.length && events.length < room.eventsMax; next++) {
    const event = waiting[next]!;
    if (event.isSettled) continue;
    const goesAlone = event.refusal !== undefined && !event.refusal.retryable;
    if (goesAlone && events.length > 0) break;
    if (head.length + tail.length + event.bytes > room.bytesMax) {
      tooLarge.push(event);
      continue;
    }
    if (events.length > 0 && bytes + 1 + event.bytes > bytesMost) break;
    text += events.length === 0 ? event.text : `,${event.text}`;
    bytes += event.bytes + (events.length === 0 ? 0 : 1);
    events.push(event);
    // Was it refused together with others, it goes alone, so that the refusal is its own.
    if (!goesAlone) continue;
    next++;
    break;
  }
  // Alone it may be nested as deeply as events may be; in a list it is one level further down.
  if (events.length === 1) text = `{"type":"publish","ref":${ref},"event":${events[0]!.text}}`;
  else text += tail;
  return { text, events, tooLarge, next };
}
