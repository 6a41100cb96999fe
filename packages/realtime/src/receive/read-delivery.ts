/** One delivery inside a frame of the bus. */
export interface DeliveryEntry {
  /** The number by which it is answered. */
  readonly delivery: number;
  readonly attempt: number;
  readonly event: Readonly<Record<string, unknown>>;
}

export type FrameOfBus =
  | { readonly type: 'delivery'; readonly subscription: string; readonly deliveries: readonly DeliveryEntry[] }
  /** What newer versions may say, and what needs no answer. */
  | { readonly type: 'other' };

/** Reads a frame of an event manager; `undefined` for what is none. */
export function readDelivery(data: Buffer): FrameOfBus | undefined {
  let frame: unknown;
  try {
    frame = JSON.parse(data.toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isObject(frame) || typeof frame['type'] !== 'string') return undefined;
  if (frame['type'] !== 'delivery') return { type: 'other' };
  const { subscription, deliveries } = frame;
  if (typeof subscription !== 'string' || !Array.isArray(deliveries) || !deliveries.every(isEntry)) return undefined;
  return { type: 'delivery', subscription, deliveries };
}

function isEntry(value: unknown): value is DeliveryEntry {
  return (
    isObject(value) &&
    Number.isSafeInteger(value['delivery']) &&
    Number.isSafeInteger(value['attempt']) &&
    isObject(value['event']) &&
    typeof value['event']['id'] === 'string'
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
