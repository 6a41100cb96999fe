/**
 * Records about debts, and leases. Keys are ordered by `sort`, the UTF-16 code units of the key with the higher byte first,
 * which is also what makes a key exact: text of the database cannot hold every JavaScript string. Values are JSON text as it
 * was given, since JSONB would reorder members.
 *
 * Commits of all processes come one after another, by the lock of `state_head`: revisions grow in the order in which commits
 * become visible. A process numbers its commits in `state_committers`; one that arrives again, because its answer was lost,
 * is told what came of it, and one that arrives late, after its process went on, changes nothing.
 *
 * Leases go by `lease_time`, the clock of this server. Tokens come from one sequence and are never used twice.
 */
export const STATE_SQL = `
CREATE TABLE %schema%.state_records (
  kind text COLLATE "C" NOT NULL,
  sort bytea NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  revision bigint NOT NULL,
  PRIMARY KEY (kind, sort)
);

CREATE TABLE %schema%.state_head (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  revision bigint NOT NULL DEFAULT 0,
  timeline bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO %schema%.state_head (timeline) VALUES (%schema%.present_timeline(0));

CREATE TABLE %schema%.state_committers (
  committer uuid PRIMARY KEY,
  number bigint NOT NULL,
  outcomes text NOT NULL,
  committed_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE %schema%.leases (
  resource text COLLATE "C" PRIMARY KEY,
  owner text NOT NULL,
  token bigint NOT NULL,
  expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE SEQUENCE %schema%.lease_tokens;
-- A copy that is promoted may not have got the last numbers of the sequence: its timeline in front makes them others.
CREATE FUNCTION %schema%.next_token() RETURNS bigint LANGUAGE sql VOLATILE AS
  $$ SELECT (%schema%.present_timeline(0) << 36) + nextval('%schema%.lease_tokens') $$;

CREATE FUNCTION %schema%.lease_time() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()';

-- Several commits in one transaction, each with its own conditions: a refused one changes nothing and spoils no other.
-- Change n belongs to the commit of_commit[n]; a NULL value deletes, and one that does not write is
-- only a condition. Gives a JSON array with one outcome per commit.
CREATE FUNCTION %schema%.commit_state(
  committer_id uuid, commit_number bigint, commits int, of_commit int[], kinds text[], sorts text[], keys text[],
  new_values text[], writes boolean[], if_revisions bigint[], lease_of_commit int[], lease_resources text[], lease_held bigint[]
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  done %schema%.state_committers%ROWTYPE;
  present bigint;
  timeline_before bigint;
  timeline_now bigint;
  outcomes jsonb := '[]';
  lost text[];
  conflict record;
BEGIN
  SELECT revision, timeline INTO present, timeline_before FROM %schema%.state_head FOR UPDATE;
  PERFORM %schema%.assert_in_use(committer_id);
  SELECT * INTO done FROM %schema%.state_committers WHERE committer = committer_id;
  IF FOUND AND done.number >= commit_number THEN
    RETURN CASE WHEN done.number = commit_number THEN done.outcomes END;
  END IF;
  -- Revisions that were given and are lost never come again: somebody may still expect one.
  timeline_now := %schema%.present_timeline(timeline_before);
  IF timeline_now <> timeline_before THEN present := present + 16777216; END IF;
  PERFORM 1 FROM %schema%.leases WHERE resource = ANY (lease_resources) ORDER BY resource FOR SHARE;

  FOR c IN 1..commits LOOP
    SELECT array_agg(DISTINCT w.resource) INTO lost
      FROM unnest(lease_of_commit, lease_resources, lease_held) w(of_commit, resource, token)
      WHERE w.of_commit = c AND NOT EXISTS (
        SELECT 1 FROM %schema%.leases l
        WHERE l.resource = w.resource AND l.token = w.token AND l.expires_at > %schema%.lease_time());
    IF lost IS NOT NULL THEN
      outcomes := outcomes || jsonb_build_object('lost', lost);
      CONTINUE;
    END IF;
    SELECT w.ord, coalesce(r.revision, 0) AS revision INTO conflict
      FROM unnest(of_commit, kinds, sorts, if_revisions) WITH ORDINALITY w(of_commit, kind, sort, expected, ord)
      LEFT JOIN %schema%.state_records r ON r.kind = w.kind AND r.sort = decode(w.sort, 'hex')
      WHERE w.of_commit = c AND w.expected IS NOT NULL AND coalesce(r.revision, 0) <> w.expected
      ORDER BY w.ord LIMIT 1;
    IF FOUND THEN
      outcomes := outcomes || jsonb_build_object('conflict', conflict.ord, 'revision', conflict.revision);
      CONTINUE;
    END IF;
    present := present + 1;
    DELETE FROM %schema%.state_records r
      USING unnest(of_commit, kinds, sorts, new_values, writes) w(of_commit, kind, sort, value, writes)
      WHERE w.of_commit = c AND w.writes AND w.value IS NULL AND r.kind = w.kind AND r.sort = decode(w.sort, 'hex');
    INSERT INTO %schema%.state_records (kind, sort, key, value, revision)
      SELECT w.kind, decode(w.sort, 'hex'), w.key, w.value, present
      FROM unnest(of_commit, kinds, sorts, keys, new_values, writes) w(of_commit, kind, sort, key, value, writes)
      WHERE w.of_commit = c AND w.writes AND w.value IS NOT NULL
      ON CONFLICT (kind, sort) DO UPDATE SET value = excluded.value, revision = excluded.revision;
    outcomes := outcomes || jsonb_build_object('revision', present);
  END LOOP;

  UPDATE %schema%.state_head SET revision = present, timeline = timeline_now;
  INSERT INTO %schema%.state_committers VALUES (committer_id, commit_number, outcomes::text, clock_timestamp())
    ON CONFLICT (committer) DO UPDATE
      SET number = excluded.number, outcomes = excluded.outcomes, committed_at = excluded.committed_at;
  RETURN outcomes::text;
END $$;

-- What processes that are long gone left behind. No token comes again, so a lease may be forgotten.
CREATE FUNCTION %schema%.forget_the_gone() RETURNS void LANGUAGE sql AS $$
  DELETE FROM %schema%.state_committers WHERE committed_at < clock_timestamp() - interval '1 day';
  DELETE FROM %schema%.leases WHERE expires_at < %schema%.lease_time() - interval '1 day';
$$;

-- Gives the ordinals and tokens of those that nobody else holds. Tokens are taken under the locks of the rows, so that a later
-- holder has a higher one; the rows are locked in one order by everybody.
CREATE FUNCTION %schema%.acquire_leases(wanted text[], new_owner text, ttl_ms double precision)
RETURNS TABLE (ord int, new_token bigint) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO %schema%.leases SELECT DISTINCT r, new_owner, 0, '-infinity'::timestamptz FROM unnest(wanted) r ORDER BY r
    ON CONFLICT DO NOTHING;
  PERFORM 1 FROM %schema%.leases WHERE resource = ANY (wanted) ORDER BY resource FOR UPDATE;
  RETURN QUERY
    UPDATE %schema%.leases l SET owner = new_owner, token = %schema%.next_token(),
      expires_at = %schema%.lease_time() + ttl_ms * interval '1 millisecond'
    FROM unnest(wanted) WITH ORDINALITY w(resource, ord)
    WHERE l.resource = w.resource AND (l.owner = new_owner OR l.expires_at <= %schema%.lease_time())
    RETURNING w.ord::int, l.token;
END $$;

-- Gives the ordinals of those that were still held and are extended.
CREATE FUNCTION %schema%.renew_leases(resources text[], held bigint[], ttl_ms double precision) RETURNS SETOF int
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM %schema%.leases WHERE resource = ANY (resources) ORDER BY resource FOR UPDATE;
  RETURN QUERY
    UPDATE %schema%.leases l SET expires_at = %schema%.lease_time() + ttl_ms * interval '1 millisecond'
    FROM unnest(resources, held) WITH ORDINALITY w(resource, token, ord)
    WHERE l.resource = w.resource AND l.token = w.token AND l.expires_at > %schema%.lease_time()
    RETURNING w.ord::int;
END $$;

CREATE FUNCTION %schema%.release_leases(resources text[], held bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM %schema%.leases WHERE resource = ANY (resources) ORDER BY resource FOR UPDATE;
  UPDATE %schema%.leases l SET expires_at = '-infinity'
    FROM unnest(resources, held) w(resource, token) WHERE l.resource = w.resource AND l.token = w.token;
END $$;
`;
