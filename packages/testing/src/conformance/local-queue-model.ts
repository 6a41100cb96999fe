import type { Lane, Outcome } from '@event-manager/core';
import { expect, it } from 'vitest';
import { SeededChance } from '../seeded-chance.ts';
import { expectConserved } from './local-queue-ledger.ts';
import { DELIVERED, failure, rejection } from './local-queue-receiver.ts';
import { everySecond, type QueueRig, type StartRig } from './local-queue-rig.ts';

const STEPS = 300;
const IN_FLIGHT_MAX = 6;
const FAILPOINTS = [
  'ingest.after-append',
  'deliver.before',
  'deliver.after',
  'checkpoint.before-commit',
  'checkpoint.after-commit',
];

/** Everything at once: publishing, all outcomes, time, clean and unclean ends at any step. */
export function queueModelConformance(start: StartRig): void {
  it.each([1, 2, 3])(`conserves what was acknowledged over ${STEPS} random steps, seed %i`, async (seed) => {
    const rig = await start({
      filter: { sources: ['conformance'] },
      limits: { laneEntriesMax: 8, queueMaxSize: 8 },
      options: { inFlightMax: IN_FLIGHT_MAX, maxConcurrency: 1 + (seed % 3), retryPolicy: everySecond(2) },
    });
    await new QueueModel(rig, new SeededChance(seed)).run();
  });
}

class QueueModel {
  readonly #rig: QueueRig;
  readonly #chance: SeededChance;

  constructor(rig: QueueRig, chance: SeededChance) {
    this.#rig = rig;
    this.#chance = chance;
  }

  async run(): Promise<void> {
    const rig = this.#rig;
    rig.receiver.answer = () => this.#answer();
    for (let step = 0; step < STEPS; step++) {
      await this.#step();
      if (!rig.isAlive) await this.#reopen();
    }
    rig.onFailpoint = () => {};
    rig.receiver.answer = () => DELIVERED;
    await rig.settled();
    const ledger = await this.#check();
    expect([ledger.waiting, ledger.owed]).toEqual([[], []]);
    expect(ledger.dead.length).toBeGreaterThan(0);
    expect(rig.killed.size).toBeGreaterThan(0);
  }

  async #step(): Promise<void> {
    const rig = this.#rig;
    const dice = this.#chance.integer(100);
    if (dice < 45) await this.#publish();
    else if (dice < 75) await this.#elapse(this.#chance.integer(400));
    else if (dice < 80) await this.#elapse(this.#chance.integer(4_000));
    else if (dice < 88) await this.#check();
    else if (dice < 92) await this.#restart();
    else if (dice < 95) rig.kill();
    else this.#armKill();
  }

  /** The next time that this place is passed is the last thing the engine does. */
  #armKill(): void {
    const failpoint = this.#chance.pick(FAILPOINTS);
    let left = 1 + this.#chance.integer(3);
    this.#rig.onFailpoint = (name) => {
      if (name === failpoint && --left === 0) this.#rig.kill();
    };
  }

  /** The events of an engine that is killed meanwhile are never acknowledged, and count for nothing. */
  async #publish(): Promise<void> {
    const chance = this.#chance;
    const metadata = {
      ...(chance.happens(0.1) ? { expiresAt: this.#rig.time.wallMs() + chance.integer(3_000) } : {}),
      ...(chance.happens(0.2) ? { maxRetries: chance.integer(4) } : {}),
    };
    const priority = chance.integer(4) as Lane;
    const source = chance.happens(0.1) ? 'unwanted' : 'conformance';
    const publish = this.#rig.publishSoon(1 + chance.integer(8), { priority, source, metadata });
    if (chance.happens(0.05)) this.#rig.kill();
    await this.#rig.survives(publish);
  }

  async #elapse(ms: number): Promise<void> {
    const endMs = this.#rig.time.monotonicMs() + ms;
    await this.#rig.until(() => !this.#rig.isAlive || this.#rig.time.monotonicMs() >= endMs);
  }

  /** A clean end, unless an armed kill comes before it. */
  async #restart(): Promise<void> {
    if (!(await this.#rig.close())) return;
    await this.#rig.subject.throughReopen();
    await this.#check();
    await this.#rig.open();
  }

  async #reopen(): Promise<void> {
    await this.#rig.crash();
    await this.#check();
    await this.#rig.open();
  }

  #check() {
    return expectConserved(this.#rig, IN_FLIGHT_MAX);
  }

  async #answer(): Promise<Outcome> {
    const dice = this.#chance.integer(100);
    if (dice < 30) await this.#rig.time.wait(this.#chance.integer(300));
    if (dice % 10 < 6) return DELIVERED;
    if (dice % 10 < 8) return failure('random');
    if (dice % 10 < 9) return rejection('random');
    return { status: 'busy', afterMs: this.#chance.integer(500) };
  }
}
