/** Everything in our files starts at a multiple of this, so that a search for the next readable record has few places to look. */
export const ALIGNMENT = 8;

/** The smallest aligned number that is not below `length`. */
export function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}
