import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkHistory, type HistoryEntry } from '@event-manager/testing';
import { createTestDatabase, startPostgres, startRedis } from '@event-manager/testing/servers';
import { expect, onTestFinished } from 'vitest';
import { digest } from '../../../examples/github-demo/digest.ts';
import type { ServiceProcess } from '../../../examples/github-demo/service-process.ts';
import { call } from './call.ts';
import { watchCommits } from './commit-watch.ts';
import { LeaseWatch } from './lease-watch.ts';
import type { NetworkLab } from './network-lab.ts';
import { OverlapReceiver } from './overlap-receiver.ts';
import { publishUntilAcknowledged } from './publish-until-acknowledged.ts';
import { startInstance } from './start-instance.ts';
import { until } from './until.ts';

export const WINDOW = 64;
const HANDLING_MS = 15;
const PUBLISH_EVERY_MS = 10;
const HOOKS = ['hook-1', 'hook-2', 'hook-3', 'hook-4', 'hook-5', 'hook-6'];

/** Instances on hosts of a lab, with publishers at each of them and webhooks that everything goes to. */
export class PartitionRun {
  readonly instances: readonly ServiceProcess[];
  /** As they call themselves. */
  readonly names: readonly string[];
  readonly leases: LeaseWatch;
  readonly #lab: NetworkLab;
  readonly #seenCommits: Awaited<ReturnType<typeof watchCommits>>;
  readonly #history: HistoryEntry[] = HOOKS.map((subscription) => ({ kind: 'subscribe', subscription }));
  readonly #seen = new Map(HOOKS.map((name) => [name, new Set<string>()]));
  readonly #receivers: OverlapReceiver[] = [];
  readonly #subscriptions: string[] = [];
  readonly #published: string[] = [];
  #publishing: Promise<unknown> = Promise.resolve();
  #isStopping = false;

  private constructor(parts: {
    readonly lab: NetworkLab;
    readonly instances: readonly ServiceProcess[];
    readonly names: readonly string[];
    readonly leases: LeaseWatch;
    readonly seenCommits: Awaited<ReturnType<typeof watchCommits>>;
  }) {
    this.instances = parts.instances;
    this.names = parts.names;
    this.leases = parts.leases;
    this.#lab = parts.lab;
    this.#seenCommits = parts.seenCommits;
  }

  static async start(lab: NetworkLab, services: 'database' | 'database and redis'): Promise<PartitionRun> {
    const database = await startDatabase(lab);
    const redisUrl = services === 'database' ? undefined : await startRedisFor(lab);
    const environment = redisUrl === undefined ? {} : { EVENT_MANAGER_REDIS_URL: redisUrl };
    const instances = await Promise.all(lab.hosts.map((at) => startOn(lab, at, database.fromHosts, environment)));
    const names = await Promise.all(instances.map(async ({ url }) => (await healthAt(url)).instance));
    const leases = await LeaseWatch.start(database.fromHere);
    const seenCommits = await watchCommits(database.fromHere);
    const run = new PartitionRun({ lab, instances, names, leases, seenCommits });
    await run.#subscribe();
    run.#publishing = Promise.all(instances.map(({ url }, publisher) => run.#publish(url, publisher)));
    return run;
  }

  /** Subscriptions that this instance has the lease of. */
  heldBy(at: number): number {
    return this.#subscriptions.filter((id) => this.leases.holderOf(id) === this.names[at]).length;
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into it.
  healthOf(at: number): Promise<any> {
    return healthAt(this.instances[at]!.url);
  }

  /** Resolves when no more is published and everything that was acknowledged has arrived; then it is judged. */
  async finish() {
    this.#isStopping = true;
    await this.#publishing;
    await until('every acknowledged event has arrived', 60_000, () =>
      [...this.#seen.values()].every((of) => this.#published.every((id) => of.has(id))),
    );
    const commits = await this.#seenCommits();
    const addresses = this.#lab.hosts.map((at) => this.#lab.back(at, 'database'));
    const nameAt = (address: string) => this.names[addresses.indexOf(address)];
    return {
      report: checkHistory(this.#history),
      overlaps: this.#receivers.reduce((sum, receiver) => sum + receiver.overlaps, 0),
      commits: commits.reduce((sum, { count }) => sum + count, 0),
      /** Commits that the database took from one instance while another one held the lease. */
      ofTwoMinds: commits.filter(({ address, owner }) => owner !== nameAt(address)),
    };
  }

  async #subscribe(): Promise<void> {
    for (const name of HOOKS) {
      const onArrival = ({ id, attempt, payload }: { id: string; attempt: number; payload: object }) => {
        this.#history.push({ kind: 'deliver', subscription: name, id, attempt, digest: digest(payload) });
        this.#seen.get(name)!.add(id);
      };
      const receiver = await OverlapReceiver.start(HANDLING_MS, onArrival, this.#lab.here);
      this.#receivers.push(receiver);
      const request = { name, topic: '#', endpoint: receiver.endpoint, options: { inFlightMax: WINDOW } };
      const { status, body } = await call('POST', `${this.instances[0]!.url}/subscriptions`, request);
      expect(status).toBe(201);
      this.#subscriptions.push(body.id);
    }
    const isServed = () => this.#subscriptions.every((id) => this.leases.holderOf(id) !== undefined);
    await until('every subscription is served', 10_000, isServed);
  }

  async #publish(url: string, publisher: number): Promise<void> {
    for (let number = 0; !this.#isStopping; number++) {
      const event = { id: crypto.randomUUID(), type: 'load.made', source: 'test', payload: { publisher, number } };
      const options = { url, client: `p${publisher}`, history: this.#history, subscriptions: HOOKS };
      await publishUntilAcknowledged(event, options);
      this.#published.push(event.id);
      await new Promise((resolve) => setTimeout(resolve, PUBLISH_EVERY_MS));
    }
  }
}

async function startDatabase(lab: NetworkLab): Promise<{ fromHere: string; fromHosts: string }> {
  const address = lab.addressOf('database');
  const server = await startPostgres({ settings: { listen_addresses: `127.0.0.1,${address}` } });
  onTestFinished(() => server.close());
  appendFileSync(join(server.folder, 'data/pg_hba.conf'), `host all all ${lab.range} scram-sha-256\n`);
  await server.signal('SIGHUP');
  const database = await createTestDatabase({ server });
  return { fromHere: database.url, fromHosts: at(database.url, address) };
}

async function startRedisFor(lab: NetworkLab): Promise<string> {
  const address = lab.addressOf('redis');
  const server = await startRedis({ settings: { bind: `127.0.0.1 ${address}` } });
  onTestFinished(() => server.close());
  return at(server.url, address);
}

function at(url: string, address: string): string {
  const moved = new URL(url);
  moved.hostname = address;
  return moved.href;
}

function startOn(lab: NetworkLab, host: number, databaseUrl: string, more: object): Promise<ServiceProcess> {
  const environment = {
    EVENT_MANAGER_HOST: lab.front(host),
    EVENT_MANAGER_ALLOW_UNAUTHENTICATED: 'true',
    EVENT_MANAGER_WEBHOOK_ALLOW: lab.range,
    EVENT_MANAGER_DATABASE_MAX_CONNECTIONS: '8',
    ...more,
  };
  return startInstance(databaseUrl, { by: lab.on(host), environment });
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into it.
async function healthAt(url: string): Promise<any> {
  return (await call('GET', `${url}/health`)).body;
}
