import type { Chance } from '@event-manager/core';
import { onTestFinished } from 'vitest';
import type { ServiceProcess } from '../../../examples/github-demo/service-process.ts';
import { Balancer } from './balancer.ts';
import { call } from './call.ts';
import { makeInstance, startInstance } from './start-instance.ts';
import { temporaryDirectory } from './temporary-directory.ts';

interface Member {
  process: ServiceProcess;
  readonly port: number;
  /** `undefined` while it starts. */
  name: string | undefined;
}

/** Several instances on one store behind a balancer, of which any may be killed; each comes again on its port. */
export class Cluster {
  readonly balancer: Balancer;
  readonly #members: readonly Member[];
  readonly #storeUrl: string;
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(
    members: readonly Member[],
    balancer: Balancer,
    storeUrl: string,
    environment: Readonly<Record<string, string>>,
  ) {
    this.#members = members;
    this.balancer = balancer;
    this.#storeUrl = storeUrl;
    this.#environment = environment;
  }

  static async start(storeUrl: string, size: number, more: Readonly<Record<string, string>> = {}): Promise<Cluster> {
    const environment = {
      EVENT_MANAGER_DATABASE_MAX_CONNECTIONS: '8',
      NODE_COMPILE_CACHE: temporaryDirectory(),
      ...more,
    };
    // Only a process that ends in order writes down what it compiled; all others start from that.
    await (await startInstance(storeUrl, { environment })).stop('SIGTERM');
    const processes = await Promise.all(Array.from({ length: size }, () => startInstance(storeUrl, { environment })));
    const members = await Promise.all(
      processes.map(async (process) => ({ process, port: process.port, name: await nameOf(process) })),
    );
    const balancer = await Balancer.start(members.map(({ port }) => port));
    onTestFinished(() => balancer.close());
    return new Cluster(members, balancer, storeUrl, environment);
  }

  get urls(): readonly string[] {
    return this.#members.map(({ port }) => `http://127.0.0.1:${port}`);
  }

  /** Those that serve, by their names. */
  get serving(): ReadonlyMap<string, ServiceProcess> {
    return new Map(
      this.#members.flatMap(({ name, process }) => (name === undefined ? [] : [[name, process] as const])),
    );
  }

  /**
   * One that serves, unless nobody were left to take over from it: then `undefined`. It is started again at once, which
   * nobody waits for.
   */
  kill(chance: Pick<Chance, 'fraction'>): string | undefined {
    const candidates = this.#members.filter(({ name }) => name !== undefined);
    const victim = candidates[Math.floor(chance.fraction() * candidates.length)];
    if (victim === undefined || candidates.length < 2) return undefined;
    const { name } = victim;
    victim.name = undefined;
    void this.#restart(victim);
    return name;
  }

  async #restart(member: Member): Promise<void> {
    await member.process.stop('SIGKILL');
    const { port } = member;
    member.process = makeInstance(this.#storeUrl, { port, environment: this.#environment });
    await member.process.listening();
    member.name = await nameOf(member.process);
  }
}

async function nameOf({ url }: ServiceProcess): Promise<string> {
  return (await call('GET', `${url}/health`)).body.instance;
}
