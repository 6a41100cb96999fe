/** What became of scheduled events since the engine was opened. */
export interface ScheduleCounts {
  /** Kept until their time. */
  waiting: number;
  accepted: number;
  /** Appended to the log in time; from then on they are events like any other. */
  published: number;
  cancelled: number;
  /** Their `expiresAt` came before their time, or while they could not be appended. */
  expired: number;
  /** Could not be appended, for a reason that does not pass. */
  refused: number;
}

export function noScheduleCounts(): ScheduleCounts {
  return { waiting: 0, accepted: 0, published: 0, cancelled: 0, expired: 0, refused: 0 };
}
