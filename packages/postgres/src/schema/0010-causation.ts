/**
 * What followed from an event is found by its id. `causation_id` is empty where JSONB cannot hold the body, and these rows are
 * few: the second index leads to all of them, so that the search may look at each.
 */
export const CAUSATION_SQL = `
CREATE INDEX idx_events_causation ON %schema%.events (causation_id, position) WHERE causation_id IS NOT NULL;
CREATE INDEX idx_events_without_jsonb ON %schema%.events (position) WHERE metadata IS NULL;
`;
