/**
 * A lease knows how long it was given for, so that a clock of the server that is set back, or that of a copy which stands
 * behind, cannot make it last longer than that for those who wait. Its end then lies further ahead than its duration. Whoever
 * looks at such a lease brings its end down to its duration from now.
 *
 * So nobody loses what is his: the holder asked before that moment, and its own clock ends what it was given, no later than
 * the duration after it asked. The lease of a dead one ends at the latest its duration after the first look of anybody. A
 * holder that slept meanwhile is refused by its token, as after every other end.
 *
 * Leases given before this migration have no duration; their next renewal gives them one.
 */
export const LEASE_DURATION_SQL = `
ALTER TABLE %schema%.leases ADD COLUMN duration interval;

CREATE FUNCTION %schema%.bound_leases(looked_at text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM %schema%.leases
      WHERE resource = ANY (looked_at) AND expires_at > %schema%.lease_time() + duration) THEN
    RETURN;
  END IF;
  PERFORM 1 FROM %schema%.leases WHERE resource = ANY (looked_at) ORDER BY resource FOR UPDATE;
  UPDATE %schema%.leases SET expires_at = least(expires_at, %schema%.lease_time() + duration)
    WHERE resource = ANY (looked_at);
END $$;

-- Ordinals and owners of those that are held.
CREATE FUNCTION %schema%.lease_holders(looked_at text[]) RETURNS TABLE (ord int, held_by text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM %schema%.bound_leases(looked_at);
  RETURN QUERY
    SELECT w.ord::int, l.owner FROM unnest(looked_at) WITH ORDINALITY w(resource, ord)
    JOIN %schema%.leases l ON l.resource = w.resource WHERE l.expires_at > %schema%.lease_time();
END $$;

CREATE OR REPLACE FUNCTION %schema%.acquire_leases(wanted text[], new_owner text, ttl_ms double precision)
RETURNS TABLE (ord int, new_token bigint) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO %schema%.leases SELECT DISTINCT r, new_owner, 0, '-infinity'::timestamptz FROM unnest(wanted) r ORDER BY r
    ON CONFLICT DO NOTHING;
  PERFORM 1 FROM %schema%.leases WHERE resource = ANY (wanted) ORDER BY resource FOR UPDATE;
  PERFORM %schema%.bound_leases(wanted);
  RETURN QUERY
    UPDATE %schema%.leases l SET owner = new_owner, token = %schema%.next_token(),
      expires_at = %schema%.lease_time() + ttl_ms * interval '1 millisecond', duration = ttl_ms * interval '1 millisecond'
    FROM unnest(wanted) WITH ORDINALITY w(resource, ord)
    WHERE l.resource = w.resource AND (l.owner = new_owner OR l.expires_at <= %schema%.lease_time())
    RETURNING w.ord::int, l.token;
END $$;

CREATE OR REPLACE FUNCTION %schema%.renew_leases(resources text[], held bigint[], ttl_ms double precision)
RETURNS SETOF int LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM %schema%.leases WHERE resource = ANY (resources) ORDER BY resource FOR UPDATE;
  RETURN QUERY
    UPDATE %schema%.leases l SET expires_at = %schema%.lease_time() + ttl_ms * interval '1 millisecond',
      duration = ttl_ms * interval '1 millisecond'
    FROM unnest(resources, held) WITH ORDINALITY w(resource, token, ord)
    WHERE l.resource = w.resource AND l.token = w.token AND l.expires_at > %schema%.lease_time()
    RETURNING w.ord::int;
END $$;
`;
