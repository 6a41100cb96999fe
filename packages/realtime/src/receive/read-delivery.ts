import { type Event, reviveEvent } from '@event-manager/core/portable';

/** One delivery inside a frame of the bus. */
export interface DeliveryEntry {
  /** The number by which it is answered. */
  readonly delivery: number;
  readonly attempt: number;
  /** Set when it is delivered once more because somebody asked for a replay. */
  readonly replay?: { readonly id: string };
  readonly event: Event;
}

export type FrameOfBus =
  | { readonly type: 'delivery'; readonly subscription: string; readonly deliveries: readonly DeliveryEntry[] }
  /** What newer versions may say, and what needs no answer. */
  | { readonly type: 'other' };

/**
 * Reads a frame of an event manager; `undefined` for what is none. Whoever can connect may send anything: what is no event,
 * or nested so deep that nobody could look through it, must not end the program of the receiver.
 */
export function readDelivery(data: Buffer): FrameOfBus | undefined {
  try {
    return readFrame(JSON.parse(data.toString('utf8')));
  } catch {
    return undefined;
  }
}

function readFrame(frame: unknown): FrameOfBus | undefined {
  if (!isObject(frame) || typeof frame['type'] !== 'string') return undefined;
  if (frame['type'] !== 'delivery') return { type: 'other' };
  const { subscription, deliveries } = frame;
  if (typeof subscription !== 'string' || !Array.isArray(deliveries) || !deliveries.every(isEntry)) return undefined;
  const entries = deliveries.map(({ delivery, attempt, replay, event }) => {
    return { delivery, attempt, ...(isReplay(replay) ? { replay } : {}), event: revived(event) };
  });
  return { type: 'delivery', subscription, deliveries: entries };
}

/** What is sent in place of an event need not have all that one has. */
function revived(event: Readonly<Record<string, unknown>>): Event {
  return reviveEvent(isObject(event['metadata']) ? event : { ...event, metadata: {} });
}

function isEntry(value: unknown): value is Omit<DeliveryEntry, 'event'> & { readonly event: Record<string, unknown> } {
  return (
    isObject(value) &&
    Number.isSafeInteger(value['delivery']) &&
    Number.isSafeInteger(value['attempt']) &&
    isObject(value['event']) &&
    typeof value['event']['id'] === 'string'
  );
}

function isReplay(value: unknown): value is { readonly id: string } {
  return isObject(value) && typeof value['id'] === 'string';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
