import { Buffer } from 'node:buffer';
import type { Appendable } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { Client } from 'pg';

const SCHEMA = 'bare';

/** What is in the body, as texts, so that the rows are the ones that the adapter writes. */
interface Read {
  readonly version: string;
  readonly payload: string;
  readonly metadata: string;
}

interface Waiting {
  readonly event: Appendable;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The limit of publishing to PostgreSQL: the same rows into the same tables, whatever waits as one `INSERT … SELECT FROM
 * unnest`. It counts positions itself, asks for no id, takes no lock, tells nobody, and gives up when anything goes wrong.
 */
export class BareInserts {
  readonly #client: Client;
  readonly #waiting: Waiting[] = [];
  /** Reading bodies is no part of the limit: the same ones come again and again. */
  readonly #known = new WeakMap<Uint8Array, Read>();
  #isRunning = false;
  #head = 0;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async open(url: string): Promise<BareInserts> {
    const adapter = postgres({ url, schema: SCHEMA });
    await adapter.open();
    await adapter.close();
    const client = new Client({ connectionString: url });
    await client.connect();
    const bare = new BareInserts(client);
    // Partitions for what is inserted in all rounds.
    for (let count = 0; count < 8; count++) await client.query(`SELECT ${SCHEMA}.make_event_partition()`);
    return bare;
  }

  insert(event: Appendable): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ event, resolve, reject });
      if (this.#isRunning) return;
      this.#isRunning = true;
      queueMicrotask(() => void this.#run());
    });
  }

  async close(): Promise<void> {
    await this.#client.end();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        await this.#insertAll(batch.map(({ event }) => event));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isRunning = false;
  }

  #read(body: Uint8Array): Read {
    let read = this.#known.get(body);
    if (read === undefined) {
      const { version, payload, metadata } = JSON.parse(Buffer.from(body).toString());
      read = { version, payload: JSON.stringify(payload), metadata: JSON.stringify(metadata) };
      this.#known.set(body, read);
    }
    return read;
  }

  async #insertAll(events: readonly Appendable[]): Promise<void> {
    const first = this.#head + 1;
    this.#head += events.length;
    const read = events.map(({ body }) => this.#read(body));
    await this.#client.query(INSERT, [
      events.map((_, at) => first + at),
      events.map(({ id }) => id),
      events.map(({ type }) => type),
      events.map(({ source }) => source),
      events.map(({ topic }) => topic),
      events.map(({ lane }) => lane),
      read.map(({ version }) => version),
      read.map(({ payload }) => payload),
      read.map(({ metadata }) => metadata),
      events.map(({ correlationId }) => correlationId ?? null),
      events.map(({ userId }) => userId ?? null),
      events.map(({ projectId }) => projectId ?? null),
      events.map(({ timestampMs }) => timestampMs / 1_000),
      events.map(({ body }) => Buffer.from(body)),
    ]);
  }
}

const INSERT = `
  WITH ids AS (INSERT INTO ${SCHEMA}.event_ids (id, position) SELECT * FROM unnest($2::uuid[], $1::bigint[]))
  INSERT INTO ${SCHEMA}.events (position, id, type, source, topic, priority, flags, version, payload, metadata,
      correlation_id, user_id, project_id, occurred_at, created_at, bytes_through, body)
    SELECT position, id, type, source, topic, priority, 0, version, payload, metadata, correlation, usr, project,
      to_timestamp(occurred), now(), 0, body
    FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::jsonb[],
      $9::jsonb[], $10::text[], $11::text[], $12::text[], $13::double precision[], $14::bytea[])
      u(position, id, type, source, topic, priority, version, payload, metadata, correlation, usr, project, occurred, body)`;
