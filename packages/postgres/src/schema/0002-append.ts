/**
 * One call appends one batch of distinct ids; the new ones get the positions behind the head in the order of the arrays, so
 * the caller can count them out itself. All bodies come as one value: arrays of binary values would travel as text.
 *
 * The lock of the head comes first and every later statement takes a snapshot of its own, so it sees what the holder before
 * committed: an id is found here or is in nobody's log. Ids whose event was trimmed are forgotten.
 *
 * `OFFSET 0` keeps the planner from writing the cut and the parse of a body once for each column that is made of it: with six of
 * them that was half the time of the statement.
 */
export const APPEND_SQL = `
CREATE FUNCTION %schema%.append_events(
  ids uuid[], topics text[], priorities int[], flag_bytes int[], event_types text[], sources text[],
  correlations text[], users text[], projects text[], occurred_ms bigint[],
  starts int[], lengths int[], as_jsonb boolean[], bodies bytea, now_ms bigint, known_head bigint,
  OUT previous bigint, OUT branch bigint, OUT recorded_ms bigint,
  OUT known int[], OUT known_positions bigint[], OUT known_recorded_ms bigint[], OUT known_same boolean[]
) LANGUAGE plpgsql AS $$
DECLARE
  h %schema%.log_head%ROWTYPE;
  stored int;
  stored_bytes bigint;
BEGIN
  SELECT * INTO h FROM %schema%.log_head FOR UPDATE;
  PERFORM %schema%.assert_in_use(NULL);
  IF known_head > h.head OR h.timeline <> %schema%.present_timeline(h.timeline) THEN
    PERFORM %schema%.branch_log(known_head);
    SELECT * INTO h FROM %schema%.log_head;
  END IF;
  previous := h.head;
  branch := h.branch;
  recorded_ms := greatest(h.recorded_ms, now_ms);

  SELECT coalesce(array_agg(u.ord::int ORDER BY u.ord), '{}'), coalesce(array_agg(i.position ORDER BY u.ord), '{}')
    INTO known, known_positions
    FROM unnest(ids) WITH ORDINALITY u(id, ord) JOIN %schema%.event_ids i ON i.id = u.id
    WHERE i.position > h.trimmed_through;
  IF cardinality(known) > 0 THEN
    SELECT array_agg((extract(epoch FROM e.created_at) * 1000)::bigint ORDER BY k.at),
        array_agg(e.body = substr(bodies, starts[k.ord] + 1, lengths[k.ord]) ORDER BY k.at)
      INTO known_recorded_ms, known_same
      FROM unnest(known, known_positions) WITH ORDINALITY k(ord, position, at)
      JOIN %schema%.events e ON e.position = k.position;
  ELSE
    known_recorded_ms := '{}';
    known_same := '{}';
  END IF;

  stored := cardinality(ids) - cardinality(known);
  IF stored = 0 THEN RETURN; END IF;
  -- The next partition is made when half of the newest is filled, by whoever comes past; a huge batch may need several.
  WHILE h.head + stored + h.partition_events / 2 > h.partitioned_through LOOP
    PERFORM %schema%.make_event_partition();
    SELECT * INTO h FROM %schema%.log_head;
  END LOOP;

  INSERT INTO %schema%.events (position, id, type, source, topic, priority, flags, version, payload, metadata,
      correlation_id, causation_id, user_id, project_id, occurred_at, created_at, expires_at, bytes_through, body)
    SELECT h.head + row_number() OVER (ORDER BY u.ord), u.id, u.type, u.source, u.topic, u.priority, u.flags,
      j.doc->>'version', j.doc->'payload', j.doc->'metadata',
      u.correlation, j.doc->>'causationId', u.usr, u.project,
      CASE WHEN u.occurred < -210000000000000 THEN timestamptz '-infinity'
        ELSE timestamptz 'epoch' + u.occurred * interval '1 millisecond' END,
      timestamptz 'epoch' + recorded_ms * interval '1 millisecond',
      (j.doc->'metadata'->>'expiresAt')::timestamptz,
      h.bytes_through + sum(u.length) OVER (ORDER BY u.ord), b.body
    FROM unnest(ids, topics, priorities, flag_bytes, event_types, sources, correlations, users, projects, occurred_ms,
        starts, lengths, as_jsonb)
      WITH ORDINALITY u(id, topic, priority, flags, type, source, correlation, usr, project, occurred,
        start, length, jsonb, ord)
    CROSS JOIN LATERAL (SELECT substr(bodies, u.start + 1, u.length) AS body OFFSET 0) b
    CROSS JOIN LATERAL (SELECT CASE WHEN u.jsonb THEN convert_from(b.body, 'UTF8')::jsonb END AS doc OFFSET 0) j
    WHERE u.ord <> ALL (known);

  INSERT INTO %schema%.event_ids (id, position)
    SELECT u.id, h.head + row_number() OVER (ORDER BY u.ord)
    FROM unnest(ids) WITH ORDINALITY u(id, ord) WHERE u.ord <> ALL (known)
    ON CONFLICT (id) DO UPDATE SET position = excluded.position;

  SELECT sum(u.length) INTO stored_bytes
    FROM unnest(lengths) WITH ORDINALITY u(length, ord) WHERE u.ord <> ALL (known);
  UPDATE %schema%.log_head SET head = h.head + stored, bytes_through = h.bytes_through + stored_bytes,
    recorded_ms = append_events.recorded_ms;
END $$;
`;
