import {
  ANONYMOUS,
  type Delivery,
  type Lease,
  type Outcome,
  type PlantedBug,
  type StateChange,
} from '@event-manager/core';
import { checkHistory, type HistoryEntry, type HistoryReport } from '@event-manager/testing';
import { Engines, eventIdFrom, type RunningEngine } from './engines.ts';

export const IN_FLIGHT_MAX = 8;
/** Three times as long as a lease lasts. */
const SLEEP_MS = 18_000;
const HOUR_MS = 3_600_000;
const EVENTS = 300;
const EVERY_MS = 100;
const SETTLE_MS = 60_000;

export interface Takeover {
  readonly report: HistoryReport;
  /** From the end or sleep of the owner to the next attempt by another process. */
  readonly takeoverMs: number;
  /** Attempts that began at a process after another one had the lease. */
  readonly begunByOthers: number;
  /** Commits under a lease that had passed on, and how many of them the store refused. */
  readonly lateCommits: number;
  readonly lateCommitsRefused: number;
}

/**
 * Three processes share a store, and one of them serves a subscription under load. It is killed, or stopped for three leases
 * while the wall clock is set back, and then goes on as if nothing had happened.
 */
export function runTakeover(seed: number, how: 'killed' | 'stopped', planted: readonly PlantedBug[] = []) {
  return new TakeoverRun(seed, planted).run(how);
}

class TakeoverRun {
  readonly #engines: Engines;
  readonly #running: RunningEngine[] = [];
  readonly #history: HistoryEntry[] = [{ kind: 'subscribe', subscription: 'worker' }];
  #owner = '';
  #token = 0;
  #lost: { readonly name: string; readonly atMs: number } | undefined;
  #takeoverMs = Number.POSITIVE_INFINITY;
  #begunByOthers = 0;
  #lateCommits = 0;
  #lateCommitsRefused = 0;

  constructor(seed: number, planted: readonly PlantedBug[]) {
    this.#engines = new Engines({ seed, planted, stallShare: 0 });
    this.#watchLeases();
  }

  async run(how: 'killed' | 'stopped'): Promise<Takeover> {
    const { time, chance } = this.#engines;
    for (const name of ['one', 'two', 'three']) await this.#launch(name);
    const options = { maxConcurrency: IN_FLIGHT_MAX, timeoutMs: 60_000 };
    const request = { name: 'worker', topic: '#', endpoint: 'https://receiver.example/', options };
    await time.run(this.#running[0]!.engine.subscriptions.subscribe(ANONYMOUS, request));
    const takenAwayAt = 20 + chance.integer(40);
    for (let number = 0; number < EVENTS; number++) {
      if (number === takenAwayAt) time.after(chance.integer(EVERY_MS), () => this.#takeAway(how));
      await time.advance(EVERY_MS);
      await this.#publish(number);
    }
    await time.advance(SETTLE_MS);
    return {
      report: checkHistory(this.#history),
      takeoverMs: this.#takeoverMs,
      begunByOthers: this.#begunByOthers,
      lateCommits: this.#lateCommits,
      lateCommitsRefused: this.#lateCommitsRefused,
    };
  }

  async #launch(name: string): Promise<void> {
    const sink = (isAlive: () => boolean) => ({
      deliver: (batch: readonly Delivery[]) => this.#receive(name, batch, isAlive),
      close: async () => {},
    });
    const limits = { inFlightMax: IN_FLIGHT_MAX };
    const options = (isAlive: () => boolean) => ({ webhookSink: () => sink(isAlive), limits });
    this.#running.push(await this.#engines.launch(name, options));
  }

  async #receive(name: string, batch: readonly Delivery[], isAlive: () => boolean): Promise<Outcome[]> {
    if (!isAlive()) return new Promise(() => {});
    const { time, chance } = this.#engines;
    if (this.#owner !== name) this.#begunByOthers++;
    if (this.#lost && this.#lost.name !== name) {
      this.#takeoverMs = Math.min(this.#takeoverMs, time.monotonicMs() - this.#lost.atMs);
    }
    for (const { record, attempt } of batch) {
      this.#history.push({ kind: 'deliver', subscription: 'worker', id: record.id, attempt });
    }
    // The answer reaches a process that sleeps when it wakes up.
    const { timers } = this.#running.find((each) => each.name === name)!;
    await new Promise<void>((resolve) => timers.after(20 + chance.integer(180), resolve));
    return batch.map(() => ({ status: 'delivered' }));
  }

  #takeAway(how: 'killed' | 'stopped'): void {
    const { time } = this.#engines;
    const owner = this.#running.find(({ name }) => name === this.#owner)!;
    this.#lost = { name: owner.name, atMs: time.monotonicMs() };
    if (how === 'killed') {
      owner.kill();
      return;
    }
    owner.timers.suspend();
    time.jumpWall(-HOUR_MS);
    time.after(SLEEP_MS, () => owner.timers.resume());
  }

  async #publish(number: number): Promise<void> {
    const { time, chance } = this.#engines;
    const { engine } = chance.pick(this.#running.filter(({ name }) => name !== this.#lost?.name));
    const id = eventIdFrom(chance);
    this.#history.push({ kind: 'invoke', client: 'publisher', id });
    await time.run(engine.publish(ANONYMOUS, { id, type: 'worked', source: 'test', payload: { number } }));
    this.#history.push({ kind: 'ok', id });
  }

  /** Looks at the store itself: who has the lease, and who commits under one that passed on. */
  #watchLeases(): void {
    const { state } = this.#engines.shared.kept;
    const acquire = state.acquire.bind(state);
    const commit = state.commit.bind(state);
    state.acquire = async (resources, options) => {
      const leases = await acquire(resources, options);
      for (const { token } of leases.filter(isSubscription)) {
        this.#owner = options.owner;
        this.#token = token;
      }
      return leases;
    };
    state.commit = async (changes: readonly StateChange[]) => {
      const isLate = changes.some(({ lease }) => lease && isSubscription(lease) && lease.token !== this.#token);
      if (isLate) this.#lateCommits++;
      return commit(changes).catch((error: unknown) => {
        if (isLate) this.#lateCommitsRefused++;
        throw error;
      });
    };
  }
}

function isSubscription({ resource }: Lease): boolean {
  return resource.startsWith('subscription/');
}
