import { EventManagerError } from '../errors/event-manager-error.ts';
import { readTimeMs } from '../ingest/read-time.ts';

/** Longer is a mistake in the unit; a moment can be given by `deliverAt`, however far away. */
export const DELAY_MS_MAX = 10 * 365 * 24 * 60 * 60 * 1_000;

/** When an event is to be delivered, in the words of its publisher. */
export interface GivenDue {
  readonly deliverAt: unknown;
  readonly delayMs: unknown;
  /** JSON pointer of the object that holds them. */
  readonly pointer: string;
}

/** `undefined` where nothing is said. */
export function givenDue(deliverAt: unknown, delayMs: unknown, pointer: string): GivenDue | undefined {
  return deliverAt === undefined && delayMs === undefined ? undefined : { deliverAt, delayMs, pointer };
}

/**
 * The moment of delivery, wall clock; `undefined` when it is now or has passed. A delay counts from the moment of acceptance.
 * Throws `invalid_event` for what cannot be read, and where two times are given.
 */
export function readDueMs(
  beside: GivenDue | undefined,
  inMetadata: GivenDue | undefined,
  nowMs: number,
): number | undefined {
  const given = beside ?? inMetadata!;
  if (beside && inMetadata) throw twice(inMetadata.pointer, inMetadata.delayMs === undefined ? 'deliverAt' : 'delayMs');
  const { deliverAt, delayMs, pointer } = given;
  if (deliverAt !== undefined && delayMs !== undefined) throw twice(pointer, 'delayMs');
  const dueMs =
    delayMs === undefined
      ? readTimeMs(deliverAt, `${pointer}/deliverAt`)
      : Math.floor(nowMs) + readDelayMs(delayMs, pointer);
  return dueMs > nowMs ? dueMs : undefined;
}

function readDelayMs(value: unknown, pointer: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= DELAY_MS_MAX) return value;
  throw new EventManagerError('invalid_event', `A delay is a whole number from 0 to ${DELAY_MS_MAX}.`, {
    pointer: `${pointer}/delayMs`,
  });
}

function twice(pointer: string, name: string): EventManagerError {
  return new EventManagerError('invalid_event', 'The time of delivery is given twice.', {
    pointer: `${pointer}/${name}`,
  });
}
