import { Client } from 'pg';

/**
 * Has the database itself write down whose progress it took: the address that a commit came from, and who held the lease of its
 * subscription in that moment. Two instances that both believe to serve it would both be seen here.
 */
const WATCH = `
  CREATE TABLE progress_seen (subscription text, address text, owner text, count int NOT NULL,
    PRIMARY KEY (subscription, address, owner));
  CREATE FUNCTION see_progress() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO progress_seen
      SELECT split_part(NEW.key, '/', 1), host(inet_client_addr()), l.owner, 1
      FROM leases l WHERE l.resource = 'subscription/' || split_part(NEW.key, '/', 1)
      ON CONFLICT (subscription, address, owner) DO UPDATE SET count = progress_seen.count + 1;
    RETURN NULL;
  END $$;
  CREATE TRIGGER see_progress AFTER INSERT OR UPDATE ON state_records
    FOR EACH ROW WHEN (NEW.kind = 'progress') EXECUTE FUNCTION see_progress();`;

export interface SeenProgress {
  readonly subscription: string;
  /** Of the instance that committed. */
  readonly address: string;
  /** Who held the lease. */
  readonly owner: string;
  readonly count: number;
}

export async function watchCommits(databaseUrl: string): Promise<() => Promise<readonly SeenProgress[]>> {
  await ask(databaseUrl, WATCH);
  return () => ask(databaseUrl, 'SELECT * FROM progress_seen');
}

async function ask(databaseUrl: string, sql: string): Promise<SeenProgress[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<SeenProgress>(sql)).rows;
  } finally {
    await client.end();
  }
}
