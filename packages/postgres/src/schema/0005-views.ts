/** What is known about subscriptions and dead letters under the promised names: one truth, the records of the state. */
export const VIEWS_SQL = `
CREATE FUNCTION %schema%.jsonb_or_null(value text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN value::jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
  RETURN NULL;
END $$;

CREATE VIEW %schema%.subscriptions AS
  SELECT d->>'id' AS id, d->>'topic' AS topic_pattern, d->>'subscriber' AS service_name,
    d->'sink'->>'endpoint' AS endpoint, d->'filter' AS filter_criteria, d->'options' AS options,
    to_timestamp((d->>'createdAtMs')::double precision / 1000) AS created_at,
    to_timestamp((d->>'updatedAtMs')::double precision / 1000) AS updated_at,
    d->>'state' = 'active' AS is_active
  FROM %schema%.state_records r CROSS JOIN LATERAL (SELECT %schema%.jsonb_or_null(r.value) AS d) v
  WHERE r.kind = 'subscription';

CREATE VIEW %schema%.dead_letter_events AS
  SELECT d->>'id' AS id, d->>'eventId' AS original_event_id, %schema%.jsonb_or_null(d->>'event') AS event_data,
    d->>'reason' AS failure_reason, to_timestamp((d->>'deadAtMs')::double precision / 1000) AS failed_at,
    (d->>'attempts')::integer - 1 AS retry_count, d->>'state' AS state, d->>'subscriptionId' AS subscription_id
  FROM %schema%.state_records r CROSS JOIN LATERAL (SELECT %schema%.jsonb_or_null(r.value) AS d) v
  WHERE r.kind = 'dead-letter';
`;
