import { hash } from 'node:crypto';
import { EventManagerError } from '@event-manager/core';
import { type Client, escapeIdentifier } from 'pg';
import { MIGRATIONS, type Migration } from './migrations.ts';

/** Any number that no other program uses for an advisory lock of the same database. */
export const LOCK_CLASS = 0x45_4d_42;

interface Applied {
  readonly version: number;
  readonly checksum: string;
}

/**
 * Brings the schema up to date: each migration in a transaction of its own, under one advisory lock that the server releases
 * with the transaction, however that ends. So a process that dies leaves whole migrations behind, and of two that start at
 * once one waits and then finds the work done. Refuses with `unsupported_format` what a newer version made or somebody changed.
 */
export async function migrate(
  client: Client,
  schema: string,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  // A database without the right to make schemas may still have been given one.
  const { rows } = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
  if (rows.length === 0) await makeSchema(client, schema);
  while (await applyNext(client, schema, migrations)) {
    // Until there is nothing left to apply.
  }
}

/** Under the lock, since two that make it at once would not both succeed. */
async function makeSchema(client: Client, schema: string): Promise<void> {
  const name = escapeIdentifier(schema);
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK_CLASS, schema]);
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${name}`);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** Asks without writing: most of the time there is nothing to do, and then many may ask at once. */
export async function isUpToDate(client: Client, schema: string): Promise<boolean> {
  const { rows } = await client.query('SELECT to_regclass($1) IS NOT NULL AS "isThere"', [tableOf(schema)]);
  if (!(rows[0] as { isThere: boolean }).isThere) return false;
  const applied = await loadApplied(client, schema);
  assertKnown(applied);
  return applied.length === MIGRATIONS.length;
}

/** Answers whether there was one to apply. */
async function applyNext(client: Client, schema: string, migrations: readonly Migration[]): Promise<boolean> {
  await client.query('BEGIN');
  try {
    // It asks in quick succession: one that stands still in the middle is gone, and others wait for its lock.
    await client.query(`SET LOCAL idle_in_transaction_session_timeout = '60s'`);
    await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK_CLASS, schema]);
    await client.query(
      `CREATE TABLE IF NOT EXISTS ${tableOf(schema)} (
        version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp())`,
    );
    const applied = await loadApplied(client, schema);
    assertKnown(applied);
    const next = migrations[applied.length];
    if (next !== undefined) await apply(client, schema, next);
    await client.query('COMMIT');
    return next !== undefined;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function loadApplied(client: Client, schema: string): Promise<readonly Applied[]> {
  const { rows } = await client.query(`SELECT version, checksum FROM ${tableOf(schema)} ORDER BY version`);
  return rows as Applied[];
}

function assertKnown(applied: readonly Applied[]): void {
  for (const [at, { version, checksum }] of applied.entries()) {
    const known = MIGRATIONS[at];
    if (known === undefined) throw unsupported(`It is at schema version ${version}; this program knows ${at}.`);
    if (version !== known.version || checksum !== checksumOf(known)) {
      throw unsupported(`Migration ${version} (${known.name}) is not the one that this program knows.`);
    }
  }
}

async function apply(client: Client, schema: string, migration: Migration): Promise<void> {
  const sql = migration.sql.replaceAll('%schema%', () => escapeIdentifier(schema));
  await client.query(sql);
  await client.query(`INSERT INTO ${tableOf(schema)} (version, name, checksum) VALUES ($1, $2, $3)`, [
    migration.version,
    migration.name,
    checksumOf(migration),
  ]);
}

function tableOf(schema: string): string {
  return `${escapeIdentifier(schema)}.schema_migrations`;
}

/** Under what name changes of a schema are announced within the database. */
export function hintsOf(schema: string): string {
  return `event_manager_${schema}`;
}

function checksumOf({ sql }: Migration): string {
  return hash('sha256', sql);
}

function unsupported(why: string): EventManagerError {
  return new EventManagerError('unsupported_format', `The database cannot be used by this version: ${why}`);
}
