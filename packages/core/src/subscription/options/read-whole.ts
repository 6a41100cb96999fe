import { EventManagerError } from '../../errors/event-manager-error.ts';
import type { ReadFields } from '../../json/read-fields.ts';

/** A whole number of a subscription's options. Throws `invalid_subscription`. */
export function readWhole(fields: ReadFields, name: string, fallback: number, min: number, max: number): number {
  const value = fields.get(name);
  if (value === undefined) return fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  const pointer = fields.pointer(name);
  throw new EventManagerError('invalid_subscription', `A whole number from ${min} to ${max} is expected.`, { pointer });
}
