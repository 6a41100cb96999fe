/**
 * What tells this store from every other one, for what processes share beside it: see `EventBusAdapter.storeId`. It belongs to
 * the place and not to what is kept there, so a store that comes from another one by a move has its own.
 */
export const IDENTITY_SQL = `
CREATE TABLE %schema%.store_identity (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  id uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO %schema%.store_identity DEFAULT VALUES;
`;
