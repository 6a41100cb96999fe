/** What became of deliveries: of one subscription since this engine began to serve it, or of all since it was opened. */
export interface DeliveryCounts {
  delivered: number;
  /** Deliveries whose attempt failed, whatever followed. */
  failed: number;
  /** Those of them that will be attempted again. */
  retried: number;
  deadLettered: number;
  expired: number;
  /** Matched by topic, refused by the filter. */
  skipped: number;
  /** Owed once, but topic, priority or filter do not match any more. */
  withdrawn: number;
  /** Could not be read any more: trimmed or damaged. */
  removed: number;
  /** Late results of attempts that had been given up. */
  stale: number;
}

export function noCounts(): DeliveryCounts {
  return {
    delivered: 0,
    failed: 0,
    retried: 0,
    deadLettered: 0,
    expired: 0,
    skipped: 0,
    withdrawn: 0,
    removed: 0,
    stale: 0,
  };
}
