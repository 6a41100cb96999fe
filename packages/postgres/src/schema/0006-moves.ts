/**
 * Coming from another store and going to one.
 *
 *   in use, empty ── begin_restore ──▶ incomplete ── complete_restore ──▶ in use
 *   in use ── leave_store ──▶ moved ── stay ──▶ in use
 *
 * `begin_restore` on an incomplete store throws away what is there. Only the process that began writes: it is the `restorer`,
 * and another that begins anew takes its place. Whoever appends or commits otherwise is refused from the commit of a change of
 * standing on, because that is made under the locks under which they work.
 *
 * `restore_events` is `append_events` with positions and times that are given. It may be repeated: what the head has passed
 * is written already.
 */
export const MOVES_SQL = `
CREATE FUNCTION %schema%.begin_restore(new_restorer uuid, first_position bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  part text;
BEGIN
  PERFORM 1 FROM %schema%.log_head FOR UPDATE;
  PERFORM 1 FROM %schema%.state_head FOR UPDATE;
  IF (SELECT standing FROM %schema%.store_standing) <> 'incomplete' AND (
      (SELECT standing FROM %schema%.store_standing) = 'moved' OR (SELECT head > 0 FROM %schema%.log_head)
      OR EXISTS (SELECT 1 FROM %schema%.state_records)) THEN
    RAISE EXCEPTION 'the store is not empty' USING ERRCODE = 'EM003';
  END IF;
  UPDATE %schema%.store_standing SET standing = 'incomplete', restorer = new_restorer;
  FOR part IN SELECT name FROM %schema%.event_partitions LOOP
    EXECUTE format('DROP TABLE %schema%.%I', part);
  END LOOP;
  TRUNCATE %schema%.event_partitions, %schema%.event_ids, %schema%.state_records, %schema%.lost_ranges,
    %schema%.log_gaps;
  UPDATE %schema%.log_head SET head = first_position - 1, bytes_through = 0, recorded_ms = 0, trimmed_bytes = 0,
    trimmed_through = first_position - 1, partitioned_through = first_position - 1,
    timeline = %schema%.present_timeline(timeline);
  UPDATE %schema%.log_cleaning SET ids_pruned_through = first_position - 1;
  PERFORM %schema%.make_event_partition();
END $$;

CREATE FUNCTION %schema%.restore_events(
  who uuid, positions bigint[], recorded_ms bigint[],
  ids uuid[], topics text[], priorities int[], flag_bytes int[], event_types text[], sources text[],
  correlations text[], users text[], projects text[], occurred_ms bigint[],
  starts int[], lengths int[], as_jsonb boolean[], bodies bytea
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  h %schema%.log_head%ROWTYPE;
  last_position bigint := positions[cardinality(positions)];
BEGIN
  SELECT * INTO h FROM %schema%.log_head FOR UPDATE;
  IF NOT EXISTS (SELECT 1 FROM %schema%.store_standing WHERE restorer = who) THEN
    RAISE EXCEPTION 'another process fills the store' USING ERRCODE = 'EM002';
  END IF;
  IF h.head >= last_position THEN RETURN; END IF;
  WHILE last_position > h.partitioned_through LOOP
    PERFORM %schema%.make_event_partition();
    SELECT * INTO h FROM %schema%.log_head;
  END LOOP;

  INSERT INTO %schema%.lost_ranges (from_position, through_position)
    SELECT before + 1, position - 1
    FROM (SELECT p.position, lag(p.position, 1, h.head) OVER (ORDER BY p.ord) AS before
      FROM unnest(positions) WITH ORDINALITY p(position, ord)) w
    WHERE position > before + 1;

  INSERT INTO %schema%.events (position, id, type, source, topic, priority, flags, version, payload, metadata,
      correlation_id, causation_id, user_id, project_id, occurred_at, created_at, expires_at, bytes_through, body)
    SELECT u.position, u.id, u.type, u.source, u.topic, u.priority, u.flags,
      j.doc->>'version', j.doc->'payload', j.doc->'metadata',
      u.correlation, j.doc->>'causationId', u.usr, u.project,
      CASE WHEN u.occurred < -210000000000000 THEN timestamptz '-infinity'
        ELSE timestamptz 'epoch' + u.occurred * interval '1 millisecond' END,
      timestamptz 'epoch' + u.recorded * interval '1 millisecond',
      (j.doc->'metadata'->>'expiresAt')::timestamptz,
      h.bytes_through + sum(u.length) OVER (ORDER BY u.ord), b.body
    FROM unnest(positions, recorded_ms, ids, topics, priorities, flag_bytes, event_types, sources, correlations, users,
        projects, occurred_ms, starts, lengths, as_jsonb)
      WITH ORDINALITY u(position, recorded, id, topic, priority, flags, type, source, correlation, usr,
        project, occurred, start, length, jsonb, ord)
    CROSS JOIN LATERAL (SELECT substr(bodies, u.start + 1, u.length) AS body OFFSET 0) b
    CROSS JOIN LATERAL (SELECT CASE WHEN u.jsonb THEN convert_from(b.body, 'UTF8')::jsonb END AS doc OFFSET 0) j;

  INSERT INTO %schema%.event_ids (id, position) SELECT u.id, u.position FROM unnest(ids, positions) u(id, position);
  UPDATE %schema%.log_head SET head = last_position, recorded_ms = restore_events.recorded_ms[cardinality(positions)],
    bytes_through = h.bytes_through + (SELECT sum(u.length) FROM unnest(lengths) u(length));
END $$;

CREATE FUNCTION %schema%.complete_restore(who uuid, last_head bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  h %schema%.log_head%ROWTYPE;
BEGIN
  SELECT * INTO h FROM %schema%.log_head FOR UPDATE;
  PERFORM 1 FROM %schema%.state_head FOR UPDATE;
  IF NOT EXISTS (SELECT 1 FROM %schema%.store_standing WHERE restorer = who) THEN
    RAISE EXCEPTION 'another process fills the store' USING ERRCODE = 'EM002';
  END IF;
  IF last_head > h.head THEN
    INSERT INTO %schema%.lost_ranges VALUES (h.head + 1, last_head);
    UPDATE %schema%.log_head SET head = last_head;
  END IF;
  -- The next append makes as many partitions as it needs.
  UPDATE %schema%.store_standing SET standing = 'in use', restorer = NULL;
END $$;
`;
