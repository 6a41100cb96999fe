import type { ErrorCode } from '@event-manager/core';

/**
 * The HTTP status of every error code. One table, so that nothing decides a status by itself; the compiler demands a row for
 * every code.
 */
export const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_json: 400,
  invalid_event: 400,
  invalid_topic: 400,
  invalid_pattern: 400,
  invalid_filter: 400,
  invalid_subscription: 400,
  invalid_endpoint: 400,
  invalid_query: 400,
  invalid_cursor: 400,
  invalid_setting: 400,
  invalid_request: 400,
  method_not_allowed: 405,
  unsupported_media_type: 415,
  // Not 501: it is the request that asks for too much, and a 5xx would be counted and retried as a failure of ours.
  not_supported: 422,
  too_deep: 400,
  event_too_large: 413,
  body_too_large: 413,
  batch_too_large: 413,
  too_many_errors: 400,
  overloaded: 429,
  too_many_subscriptions: 409,
  id_conflict: 409,
  subscription_conflict: 409,
  revision_conflict: 409,
  lease_lost: 409,
  store_locked: 503,
  topic_reserved: 403,
  endpoint_blocked: 403,
  event_not_found: 404,
  subscription_not_found: 404,
  dead_letter_not_found: 404,
  route_not_found: 404,
  store_failed: 503,
  disk_full: 503,
  store_read_only: 503,
  not_ready: 503,
  // Only a client says it, about us.
  unreachable: 503,
  aborted: 503,
  closed: 503,
  corrupt_record: 500,
  unsupported_format: 500,
  internal: 500,
};
