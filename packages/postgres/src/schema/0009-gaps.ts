/**
 * Of what is restored, positions that no event was ever given: where the log of the store that it came from branched. They are
 * a gap here as well and no loss; what is between the head and them was lost. May be repeated, like `restore_events`.
 */
export const GAPS_SQL = `
CREATE FUNCTION %schema%.restore_gap(who uuid, from_position bigint, through_position bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  h %schema%.log_head%ROWTYPE;
BEGIN
  SELECT * INTO h FROM %schema%.log_head FOR UPDATE;
  IF NOT EXISTS (SELECT 1 FROM %schema%.store_standing WHERE restorer = who) THEN
    RAISE EXCEPTION 'another process fills the store' USING ERRCODE = 'EM002';
  END IF;
  IF h.head >= through_position THEN RETURN; END IF;
  IF from_position > h.head + 1 THEN
    INSERT INTO %schema%.lost_ranges VALUES (h.head + 1, from_position - 1);
  END IF;
  INSERT INTO %schema%.log_gaps VALUES (from_position, through_position);
  UPDATE %schema%.log_head SET head = through_position,
    partitioned_through = greatest(h.partitioned_through, through_position);
END $$;
`;
