/**
 * The log. Positions are dense: they are given under the lock of `log_head`, in the transaction that commits them, so
 * whoever sees a position sees every one before it. Only a log that came from another store may have holes, which stand in
 * `lost_ranges`. `store_standing` says whether the store is in use at all: see `0006-moves.ts`. `bytes_through` adds up the bodies from the beginning of time, which
 * makes the size of any stretch of the log the difference of two numbers. Where the log branched there is a gap (see
 * `log/log-branch.ts`), and a log that came from another store may have holes.
 *
 * `body` is the truth. The JSON columns exist for queries by people and tools; they are empty where JSONB cannot hold what
 * JSON can (NUL, a lone surrogate). Partitions go by position, which ascends with the time of recording, so retention drops
 * the oldest one whole.
 */
export const LOG_SQL = `
CREATE TABLE %schema%.events (
  position bigint NOT NULL,
  id uuid NOT NULL,
  type text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  topic text COLLATE "C" NOT NULL,
  priority integer NOT NULL,
  flags smallint NOT NULL,
  version text,
  payload jsonb,
  metadata jsonb,
  correlation_id text COLLATE "C",
  causation_id text COLLATE "C",
  user_id text COLLATE "C",
  project_id text COLLATE "C",
  occurred_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  processed_at timestamptz,
  retry_count integer NOT NULL DEFAULT 0,
  bytes_through bigint NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (position)
) PARTITION BY RANGE (position);

CREATE INDEX idx_events_topic ON %schema%.events (topic, position);
CREATE INDEX idx_events_type ON %schema%.events (translate(type, '.', '/'), position);
CREATE INDEX idx_events_source ON %schema%.events (source, position);
CREATE INDEX idx_events_created_at ON %schema%.events (created_at);
CREATE INDEX idx_events_correlation ON %schema%.events (correlation_id, position) WHERE correlation_id IS NOT NULL;
CREATE INDEX idx_events_user ON %schema%.events (user_id, position) WHERE user_id IS NOT NULL;
CREATE INDEX idx_events_project ON %schema%.events (project_id, position) WHERE project_id IS NOT NULL;

CREATE TABLE %schema%.event_ids (
  id uuid PRIMARY KEY,
  position bigint NOT NULL
);

CREATE TABLE %schema%.log_head (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  head bigint NOT NULL DEFAULT 0,
  bytes_through bigint NOT NULL DEFAULT 0,
  recorded_ms bigint NOT NULL DEFAULT 0,
  trimmed_through bigint NOT NULL DEFAULT 0,
  trimmed_bytes bigint NOT NULL DEFAULT 0,
  partitioned_through bigint NOT NULL DEFAULT 0,
  partition_events bigint NOT NULL DEFAULT 524288,
  timeline bigint NOT NULL,
  branch bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Of the server: it changes when a copy is promoted or a backup is restored. Where the server does not tell, nothing changed.
CREATE FUNCTION %schema%.present_timeline(otherwise bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  IF pg_is_in_recovery() THEN RETURN otherwise; END IF;
  RETURN ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint;
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_function THEN
  RETURN otherwise;
END $$;

INSERT INTO %schema%.log_head (timeline) VALUES (%schema%.present_timeline(0));

-- Positions that were passed over: see branch_log.
CREATE TABLE %schema%.log_gaps (
  from_position bigint PRIMARY KEY,
  through_position bigint NOT NULL
);

CREATE TABLE %schema%.lost_ranges (
  from_position bigint PRIMARY KEY,
  through_position bigint NOT NULL
);

CREATE TABLE %schema%.store_standing (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  standing text NOT NULL DEFAULT 'in use' CHECK (standing IN ('in use', 'incomplete', 'moved')),
  restorer uuid
);
INSERT INTO %schema%.store_standing DEFAULT VALUES;

-- Called under the lock of log_head or of state_head, which whoever changes the standing holds as well.
CREATE FUNCTION %schema%.assert_in_use(who uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  s %schema%.store_standing%ROWTYPE;
BEGIN
  SELECT * INTO s FROM %schema%.store_standing;
  IF s.standing = 'in use' OR s.restorer = who THEN RETURN; END IF;
  RAISE EXCEPTION 'the store is %', s.standing
    USING ERRCODE = CASE s.standing WHEN 'moved' THEN 'EM001' ELSE 'EM002' END;
END $$;

CREATE TABLE %schema%.event_partitions (
  name text PRIMARY KEY,
  through_position bigint NOT NULL
);

CREATE TABLE %schema%.log_cleaning (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  ids_pruned_through bigint NOT NULL DEFAULT 0
);
INSERT INTO %schema%.log_cleaning DEFAULT VALUES;

-- Called under the lock of log_head. ATTACH lets readers and writers go on, which CREATE TABLE ... PARTITION OF does not.
CREATE FUNCTION %schema%.make_event_partition() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  h %schema%.log_head%ROWTYPE;
  through_position bigint;
  name text;
BEGIN
  SELECT * INTO h FROM %schema%.log_head;
  through_position := h.partitioned_through + h.partition_events;
  name := 'events_' || (h.partitioned_through + 1);
  EXECUTE format('CREATE TABLE %schema%.%I (LIKE %schema%.events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
  EXECUTE format('ALTER TABLE %schema%.events ATTACH PARTITION %schema%.%I FOR VALUES FROM (%s) TO (%s)',
    name, h.partitioned_through + 1, through_position + 1);
  INSERT INTO %schema%.event_partitions VALUES (name, through_position);
  UPDATE %schema%.log_head SET partitioned_through = through_position;
END $$;

SELECT %schema%.make_event_partition();

-- Goes on far beyond every position that may have been given before: see log-branch.ts. Called under the lock of log_head.
CREATE FUNCTION %schema%.branch_log(known_head bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  h %schema%.log_head%ROWTYPE;
  last bigint;
BEGIN
  SELECT * INTO h FROM %schema%.log_head;
  last := greatest(h.head + 16777216, known_head + 1, h.partitioned_through);
  INSERT INTO %schema%.log_gaps VALUES (h.head + 1, last);
  UPDATE %schema%.log_head SET head = last, partitioned_through = last, branch = h.branch + 1,
    timeline = %schema%.present_timeline(h.timeline);
END $$;

-- For a process that knew the log up to known_head: what of that lies in a gap is lost.
CREATE FUNCTION %schema%.follow_branch(known_head bigint, OUT branch bigint, OUT head bigint, OUT lost json, OUT gaps json)
LANGUAGE plpgsql AS $$
DECLARE
  h %schema%.log_head%ROWTYPE;
BEGIN
  SELECT * INTO h FROM %schema%.log_head;
  IF known_head > h.head OR h.timeline <> %schema%.present_timeline(h.timeline) THEN
    -- Without need it waits for nobody: a log that is being moved is locked for long.
    SELECT * INTO h FROM %schema%.log_head FOR UPDATE;
    IF known_head > h.head OR h.timeline <> %schema%.present_timeline(h.timeline) THEN
      PERFORM %schema%.branch_log(known_head);
      SELECT * INTO h FROM %schema%.log_head;
    END IF;
  END IF;
  INSERT INTO %schema%.lost_ranges AS l (from_position, through_position)
    -- The last position of a gap is the head of whoever followed before, and was never given.
    SELECT from_position, known_head FROM %schema%.log_gaps
      WHERE known_head >= from_position AND known_head < through_position
    ON CONFLICT (from_position) DO UPDATE SET through_position = greatest(l.through_position, excluded.through_position);
  branch := h.branch;
  head := h.head;
  SELECT coalesce(json_agg(json_build_object('from', from_position, 'through', through_position)
    ORDER BY from_position), '[]') INTO lost FROM %schema%.lost_ranges;
  SELECT coalesce(json_agg(json_build_object('from', from_position, 'through', through_position)
    ORDER BY from_position), '[]') INTO gaps FROM %schema%.log_gaps;
END $$;
`;
