import { Client } from 'pg';
import { createClient } from 'redis';
import { onTestFinished } from 'vitest';

const LOOK_MS = 50;

interface Holding {
  readonly owner: string;
  readonly token: string;
}

interface LeaseRow extends Holding {
  readonly resource: string;
}

/** The leases of subscriptions as the store has them. */
interface LeaseTable {
  read(): Promise<readonly LeaseRow[]>;
  close(): Promise<void>;
}

export interface TakeOver {
  readonly resource: string;
  /** From the death of the holder to when somebody else holds it. */
  readonly afterMs: number;
}

/** Looks at the leases of subscriptions as the store has them, past every instance. */
export class LeaseWatch {
  readonly takeOvers: TakeOver[] = [];
  /** Tokens only grow: one that was passed over belonged to a lease that nobody saw. */
  tokensWentBack = 0;
  readonly #table: LeaseTable;
  readonly #held = new Map<string, Holding>();
  readonly #diedAtMs = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  private constructor(table: LeaseTable) {
    this.#table = table;
  }

  static async start(storeUrl: string): Promise<LeaseWatch> {
    const watch = new LeaseWatch(await (storeUrl.startsWith('redis') ? inRedis : inDatabase)(storeUrl));
    onTestFinished(() => watch.stop());
    watch.#later();
    return watch;
  }

  /** Its name is its `instance` in `/health`. */
  died(instance: string): void {
    this.#diedAtMs.set(instance, performance.now());
  }

  holderOf(subscriptionId: string): string | undefined {
    return this.#held.get(`subscription/${subscriptionId}`)?.owner;
  }

  /** Held by somebody who is gone. */
  get orphans(): readonly string[] {
    return [...this.#held].flatMap(([resource, { owner }]) => (this.#diedAtMs.has(owner) ? [resource] : []));
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#table.close().catch(() => {});
  }

  #later(): void {
    this.#timer = setTimeout(() => {
      // The database is gone before its watch when a test ends; whoever waits for something to be seen says so otherwise.
      const look = this.#look().catch(() => {});
      void look.then(() => this.#timer && this.#later());
    }, LOOK_MS);
  }

  async #look(): Promise<void> {
    const rows = await this.#table.read();
    const nowMs = performance.now();
    for (const { resource, owner, token } of rows) {
      const before = this.#held.get(resource);
      this.#held.set(resource, { owner, token });
      if (before === undefined || before.owner === owner) continue;
      if (BigInt(token) <= BigInt(before.token)) this.tokensWentBack++;
      const diedAtMs = this.#diedAtMs.get(before.owner);
      if (diedAtMs !== undefined) this.takeOvers.push({ resource, afterMs: nowMs - diedAtMs });
    }
  }
}

async function inDatabase(url: string): Promise<LeaseTable> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  const sql = `SELECT resource, owner, token::text FROM leases WHERE resource LIKE 'subscription/%'`;
  return { read: async () => (await client.query<LeaseRow>(sql)).rows, close: () => client.end() };
}

/** Under the prefix that is used when none is given. */
async function inRedis(url: string): Promise<LeaseTable> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  await client.connect();
  return {
    async read() {
      const leases = Object.entries(await client.hGetAll('dadms:events:leases'));
      return leases.flatMap(([resource, lease]) => {
        const [token = '', , , owner = ''] = lease.split(' ');
        return resource.startsWith('subscription/') ? [{ resource, owner, token }] : [];
      });
    },
    close: async () => client.destroy(),
  };
}
