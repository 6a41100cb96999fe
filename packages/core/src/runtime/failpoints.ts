/** The failpoints of core, in the order in which an event passes them. A test keeps this list equal to the source. */
export const CORE_FAILPOINTS = Object.freeze([
  'ingest.before-append',
  'ingest.after-append',
  'deliver.before',
  'deliver.after',
  'checkpoint.before-commit',
  'checkpoint.after-commit',
  'schedule.before-commit',
  'schedule.after-commit',
  'schedule.before-removal',
  'schedule.after-removal',
  'retention.before-commit',
  'retention.after-commit',
  'reset.before-commit',
  'reset.after-commit',
] as const);
