/** The four priorities; the number is also the lane. Lower numbers go first. */
export const EventPriority = { CRITICAL: 0, HIGH: 1, NORMAL: 2, LOW: 3 } as const;
export type EventPriority = (typeof EventPriority)[keyof typeof EventPriority];
export type PriorityName = keyof typeof EventPriority;

/** The queue of one priority inside a subscription. */
export type Lane = EventPriority;
export const LANES: readonly Lane[] = [0, 1, 2, 3];

const NAMES: readonly PriorityName[] = ['CRITICAL', 'HIGH', 'NORMAL', 'LOW'];

export function priorityName(priority: EventPriority): PriorityName {
  return NAMES[priority]!;
}

/** Reads a priority given as name (any case) or number; `undefined` when it is neither. */
export function parsePriority(value: unknown): EventPriority | undefined {
  if (typeof value === 'number') return value === 0 || value === 1 || value === 2 || value === 3 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const index = NAMES.indexOf(value.toUpperCase() as PriorityName);
  return index < 0 ? undefined : (index as EventPriority);
}
