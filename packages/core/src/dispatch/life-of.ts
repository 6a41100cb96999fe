/**
 * Which life of a delivery this is, for a receiver that remembers what it answered: a reset and a redrive ask for another answer,
 * a delivery whose answer was lost asks for the same. `undefined` for the first life, which is nearly all of them.
 */
export function lifeOf(resets: number, round: number): string | undefined {
  return resets === 0 && round === 0 ? undefined : `${resets}.${round}`;
}
