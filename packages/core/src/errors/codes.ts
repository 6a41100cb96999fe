/**
 * Where an error comes from, told without naming a transport. One table per protocol maps a kind (or a single code)
 * to its own status; see `docs/errors.md`.
 */
export type ErrorKind =
  | 'invalid'
  | 'conflict'
  | 'not-found'
  | 'denied'
  | 'limit'
  | 'unavailable'
  | 'closed'
  | 'internal';

interface ErrorRow {
  readonly kind: ErrorKind;
  /** True when the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
  /** One sentence for people; `docs/errors.md` repeats it and a test keeps the two equal. */
  readonly meaning: string;
}

const invalid = (meaning: string): ErrorRow => ({ kind: 'invalid', retryable: false, meaning });
const missing = (meaning: string): ErrorRow => ({ kind: 'not-found', retryable: false, meaning });
const conflict = (meaning: string, retryable = false): ErrorRow => ({ kind: 'conflict', retryable, meaning });
const limit = (meaning: string, retryable = false): ErrorRow => ({ kind: 'limit', retryable, meaning });
const unavailable = (meaning: string): ErrorRow => ({ kind: 'unavailable', retryable: true, meaning });
const denied = (meaning: string): ErrorRow => ({ kind: 'denied', retryable: false, meaning });

/** Every error code of the product. A code is stable within a major version; messages may improve at any time. */
export const ERROR_CODES = {
  invalid_json: invalid('The text is not JSON that survives storage: syntax, encoding, duplicate key or number.'),
  invalid_event: invalid('A field of the event is missing, of the wrong type or out of range.'),
  invalid_topic: invalid(
    'The topic has an empty level, a wildcard, a control character or is too long, or is declared wrongly.',
  ),
  invalid_pattern: invalid('The topic pattern cannot be read.'),
  invalid_filter: invalid('The filter has an unknown field or a value of the wrong type, or is too large.'),
  invalid_context: invalid(
    'The context has an unknown field, a value of the wrong type or too many ids, or says nothing.',
  ),
  invalid_subscription: invalid('The subscription request has a missing, unknown or contradictory field.'),
  invalid_endpoint: invalid('The webhook endpoint is not an absolute http or https URL that may be called.'),
  invalid_query: invalid('The query has an unknown field or a value of the wrong type.'),
  invalid_run: invalid('The replay, redrive or discard has a missing, unknown or contradictory field.'),
  invalid_cursor: invalid('The cursor was not made by this product or was cut.'),
  invalid_schema: invalid('The schema is not one of JSON Schema 2020-12, or asks for more than may be asked.'),
  schema_violation: invalid('The payload does not fit the schema of its topic.'),
  topic_not_declared: invalid('The bus takes events on declared topics alone, and this one is not.'),
  invalid_setting: invalid('A setting is unknown or has a wrong value.'),
  invalid_request: invalid('The request is not one that the protocol allows, or names something by what is no text.'),
  method_not_allowed: invalid('This address does not answer to this method.'),
  unsupported_media_type: invalid('The body must be application/json.'),
  plugin_failed: invalid('A plugin or a module of handlers cannot be loaded; what was there stays as it is.'),
  not_supported: invalid('The chosen adapter does not have this feature.'),
  adapter_not_installed: invalid('The adapter is a package of its own that is not installed.'),
  too_deep: limit('The JSON is nested deeper than the limit.'),
  event_too_large: limit('The event is larger than the limit.'),
  body_too_large: limit('The request body is larger than the limit.'),
  batch_too_large: limit('The batch holds more events than the limit.'),
  too_many_errors: limit('More lines of an upload were refused than one may have; the rest was not read.'),
  projection_too_large: limit('A state of the projection is larger than the limit, or it has too many of them.'),
  overloaded: limit('More is waiting than may wait; try again after the stated time.', true),
  rate_limited: limit(
    'More events came than the rate-limiting middleware lets pass; try again after the stated time.',
    true,
  ),
  too_many_subscriptions: limit('The limit of subscriptions is reached.'),
  too_many_scheduled: limit('The limit of events that wait for their time is reached.'),
  too_many_contexts: limit('The limit of registered contexts is reached.'),
  too_many_runs: limit('The limit of replays, redrives and discards that go on is reached.'),
  too_many_topics: limit('The limit of declared topics is reached.'),
  id_conflict: conflict('The event id is already used by an event with other content.'),
  subscription_conflict: conflict('The subscription name is already used with another definition.'),
  topic_conflict: conflict('The topic is already declared with something else.'),
  schema_incompatible: conflict('A stored event does not fit the new version of the schema.'),
  confirmation_required: conflict('So many dead letters are meant that it has to be said how many.'),
  run_ended: conflict('The replay, redrive or discard has ended.'),
  projection_conflict: conflict(
    'The projection is kept in a newer version or for other events, or is open in this process already.',
  ),
  revision_conflict: conflict('The record was changed by somebody else meanwhile.', true),
  lease_lost: conflict('The lease under which the change was made has passed to another owner.'),
  store_locked: conflict('Another process has the data directory open.', true),
  store_not_empty: conflict('The store that was to be filled holds something already.'),
  topic_reserved: denied('Topics under $sys belong to the bus itself.'),
  endpoint_blocked: denied('The address of the endpoint may not be called.'),
  event_not_found: missing('No event with this id is kept.'),
  topic_not_found: missing('No topic with this name was declared.'),
  subscription_not_found: missing('No subscription with this id exists.'),
  context_not_found: missing('This subscriber has registered no context.'),
  dead_letter_not_found: missing('No dead letter with this id is kept.'),
  run_not_found: missing('No replay, redrive or discard with this id is kept.'),
  projection_not_found: missing('No projection is kept under this name.'),
  scheduled_not_found: missing('No event with this id waits for its time.'),
  store_not_found: missing('There is no store at this place.'),
  route_not_found: missing('There is nothing at this address.'),
  store_failed: unavailable('The store stopped after a failure it cannot explain; a restart recovers what is durable.'),
  store_unavailable: unavailable('The store cannot be reached or cannot answer now; nothing was acknowledged.'),
  disk_full: unavailable('The disk is full; publishing resumes when there is space.'),
  store_read_only: unavailable('The store found damage and serves reads only until it is repaired.'),
  store_moved: unavailable('What the store kept is in another place now; this one is left as it was.'),
  store_incomplete: unavailable('The store is being filled from another one, or that was interrupted.'),
  not_ready: unavailable('The service is starting or stopping.'),
  stalled: unavailable('A subscription that could go on makes no progress; events are taken all the same.'),
  unreachable: unavailable('The service gave no answer in time; what was asked for may have been done all the same.'),
  middleware_timeout: unavailable('A middleware of the bus took longer than it may; the event was not stored.'),
  middleware_failed: {
    kind: 'internal',
    retryable: false,
    meaning: 'A middleware of the bus threw or called next twice; the details name it.',
  },
  upcast_failed: {
    kind: 'internal',
    retryable: false,
    meaning: 'A stored event cannot be brought to the current version of its type; the details name it.',
  },
  projection_failed: {
    kind: 'internal',
    retryable: false,
    meaning: 'A function of the projection threw; the details name the event.',
  },
  aborted: { kind: 'closed', retryable: false, meaning: 'The caller ended the operation.' },
  closed: { kind: 'closed', retryable: false, meaning: 'The event manager or adapter is closed.' },
  corrupt_record: { kind: 'internal', retryable: false, meaning: 'A stored record does not match its checksum.' },
  unsupported_format: {
    kind: 'internal',
    retryable: false,
    meaning: 'The data directory was written by a newer version; nothing was changed.',
  },
  internal: { kind: 'internal', retryable: false, meaning: 'A defect in this product; please report it.' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_CODES;
