import { type Reader, somePatterns, someText, someTexts, wholeNumber, yesOrNo } from './reader.ts';

/** One row of the table of settings. */
export interface EventSetting {
  readonly reader: Reader<unknown>;
  readonly fallback: unknown;
  readonly reason: string;
  /** Never shown; its variable also exists with `_FILE` behind it, naming a file that holds the value. */
  readonly secret?: true;
}

const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;

const row = (reader: Reader<unknown>, fallback: unknown, reason: string): EventSetting => ({
  reader,
  fallback,
  reason,
});

/** Of an export, by the last word of its name: `export.file`, `export.audit.file`. */
export const EXPORT_SETTINGS: Readonly<Record<string, EventSetting>> = {
  stdout: row(yesOrNo, false, 'Writes each event as a line to the standard output.'),
  pretty_json: row(yesOrNo, false, 'Writes events over several lines, for people.'),
  file: row(
    someText,
    undefined,
    'Appends each event as a line to this file, which is made for its owner alone (0600).',
  ),
  file_max_bytes: row(
    wholeNumber(1_024, 2 ** 40),
    100 * 1024 * 1024,
    'The file is rotated before it grows beyond this.',
  ),
  file_max_age_ms: row(wholeNumber(0, YEAR_MS), 0, 'The file is rotated when it is this old; 0: whatever its age.'),
  file_keep: row(wholeNumber(0, 1_000), 5, 'Rotated files that are kept: FILE.1 is the newest.'),
  webhook: row(someText, undefined, 'Posts events to this address, several in one request.'),
  webhook_secret: {
    ...row(someText, undefined, 'Signs requests as Standard Webhooks says: whsec_ and base64.'),
    secret: true,
  },
  webhook_allow: row(someTexts, [], 'Hosts, addresses and ranges beyond the public internet that may be called.'),
  webhook_batch_size: row(wholeNumber(1, 1_000), 100, 'The most events of one request.'),
  webhook_max_retries: row(wholeNumber(0, 20), 3, 'Retries of a request; then its events are lost and counted.'),
  include_types: row(somePatterns, [], 'Types that this export gets; when empty, all.'),
  exclude_types: row(somePatterns, [], 'Types that it does not get, whatever the former says.'),
};

/** Every setting but those of exports that have names, by its place in the file below `[events]`. */
export const EVENT_SETTINGS: Readonly<Record<string, EventSetting>> = {
  enabled: row(yesOrNo, false, 'Whether components emit events.'),
  buffer_size: row(wholeNumber(1, 10_000_000), 10_000, 'Events that may wait; further ones are refused and counted.'),
  max_events_per_second: row(wholeNumber(0, 10_000_000), 0, 'Further ones are refused and counted; 0: no limit.'),
  emit_timing_events: row(yesOrNo, true, 'Types that end in `.started` or `.completed`.'),
  emit_state_events: row(yesOrNo, false, 'Types that end in `.state`.'),
  emit_debug_events: row(yesOrNo, false, 'Types that end in `.debug`.'),
  include_user_data: row(yesOrNo, false, 'Arguments, results, users and sessions become part of events.'),
  stats_interval_ms: row(wholeNumber(0, DAY_MS), 60_000, 'How often the exports get a line `event.stats`; 0: never.'),
  shutdown_timeout_ms: row(
    wholeNumber(0, 600_000),
    5_000,
    'How long closing may take; what is left is lost and counted.',
  ),
  'filtering.include_types': row(somePatterns, [], 'Types that are emitted; when empty, all.'),
  'filtering.exclude_types': row(somePatterns, [], 'Types that are not emitted, whatever the former says.'),
  'health.enabled': row(yesOrNo, false, 'Answers `GET /health/events` on a port of its own.'),
  'health.host': row(someText, '127.0.0.1', 'The address of that.'),
  'health.port': row(wholeNumber(0, 65_535), 8_080, 'Its port; 0 takes any free one.'),
  ...Object.fromEntries(Object.entries(EXPORT_SETTINGS).map(([name, setting]) => [`export.${name}`, setting])),
};

/** `export.audit.file` is setting `file` of the export `audit`. */
export function settingOf(key: string): EventSetting | undefined {
  const own = Object.hasOwn(EVENT_SETTINGS, key) ? EVENT_SETTINGS[key] : undefined;
  if (own) return own;
  const [, name, last] = /^export\.([a-z0-9_]{1,40})\.([a-z_]{1,40})$/.exec(key) ?? [];
  const isOfExport = name !== undefined && last !== undefined && Object.hasOwn(EXPORT_SETTINGS, last);
  return isOfExport && !Object.hasOwn(EXPORT_SETTINGS, name) ? EXPORT_SETTINGS[last] : undefined;
}
