/** The sinks of one instance make so many deliveries at once, each of so long: a capacity that a second instance doubles. */
export const WORKERS = 8;
export const WORK_MS = 10;
