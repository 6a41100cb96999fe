/**
 * Trimming moves a mark that every read respects, and is done when that is committed. What it hid goes afterwards, in steps
 * short enough for any timeout: first the remembered ids, then whole partitions. A crash between the steps leaves the rest
 * to the next trim of any process.
 */
export const TRIM_SQL = `
CREATE FUNCTION %schema%.trim_log(upto bigint, OUT removed_from bigint, OUT removed_through bigint)
LANGUAGE plpgsql AS $$
DECLARE
  h %schema%.log_head%ROWTYPE;
  bytes bigint;
BEGIN
  SELECT * INTO h FROM %schema%.log_head FOR UPDATE;
  PERFORM %schema%.assert_in_use(NULL);
  removed_through := least(upto, h.head);
  IF removed_through <= h.trimmed_through THEN
    removed_through := NULL;
    RETURN;
  END IF;
  removed_from := h.trimmed_through + 1;
  -- The last event up to there: the position itself may be a hole, and so may all of them.
  SELECT e.bytes_through INTO bytes FROM %schema%.events e
    WHERE e.position <= removed_through AND e.position > h.trimmed_through ORDER BY e.position DESC LIMIT 1;
  UPDATE %schema%.log_head
    SET trimmed_through = removed_through, trimmed_bytes = coalesce(bytes, h.trimmed_bytes);
END $$;

-- Answers whether there is more to clean. One process cleans at a time; the others are told that there is nothing.
CREATE FUNCTION %schema%.clean_log(ids_max int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  pruned bigint;
  through bigint;
  part %schema%.event_partitions%ROWTYPE;
BEGIN
  SELECT ids_pruned_through INTO pruned FROM %schema%.log_cleaning FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN RETURN false; END IF;
  SELECT least(trimmed_through, pruned + ids_max) INTO through FROM %schema%.log_head;
  IF through > pruned THEN
    DELETE FROM %schema%.event_ids i USING %schema%.events e
      WHERE e.position > pruned AND e.position <= through AND i.id = e.id AND i.position = e.position;
    UPDATE %schema%.log_cleaning SET ids_pruned_through = through;
    RETURN true;
  END IF;
  SELECT * INTO part FROM %schema%.event_partitions WHERE through_position <= pruned ORDER BY through_position LIMIT 1;
  IF NOT FOUND THEN RETURN false; END IF;
  -- Nobody waits long behind a reader that takes its time: then the partition stays until the next trim.
  SET LOCAL lock_timeout = '500ms';
  BEGIN
    EXECUTE format('DROP TABLE %schema%.%I', part.name);
  EXCEPTION WHEN lock_not_available THEN
    RETURN false;
  END;
  DELETE FROM %schema%.event_partitions WHERE name = part.name;
  RETURN true;
END $$;
`;
