import type { Client } from 'pg';

/** Everything that a schema consists of, one line each: two schemas with the same lines are the same. */
export async function describeSchema(client: Client): Promise<string[]> {
  const { rows } = await client.query(`
    SELECT format('%s %s', c.relkind, c.relname) AS line FROM pg_class c
      WHERE c.relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('column %s.%s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull)
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
      WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT format('function %s %s', p.oid::regprocedure, md5(p.prosrc)) FROM pg_proc p
      WHERE p.pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('view %s %s', viewname, md5(definition)) FROM pg_views WHERE schemaname = 'public'
    ORDER BY line`);
  return (rows as { line: string }[]).map(({ line }) => line);
}
