/*
 * The byte that stores keep beside every event, so that dispatch need not decode a body to know these facts. The values are
 * part of the disk format: a bit may be added, none may change its meaning.
 */

/** The publisher said how many retries; it beats the subscription's policy. */
export const EXPLICIT_RETRIES = 1;

/** The metadata hold `expiresAt`. */
export const HAS_EXPIRY = 2;

/** The bus published it because a delivery became a dead letter; it is never owed to the subscription it is about. */
export const DEAD_LETTER = 4;

/** The bus published it about itself; never owed to the subscription it is about, nor told about again. */
export const ABOUT_THE_BUS = 8;

/** The metadata hold `orderingKey`, in an event whose publisher could know what it means. */
export const HAS_ORDERING_KEY = 16;
