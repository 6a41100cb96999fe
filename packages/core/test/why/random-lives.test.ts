import { ANONYMOUS, type Outcome, type Why } from '@event-manager/core';
import { SeededChance } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { anEvent, durableWorld, type EngineUnderTest, fixedRetry, sinkOf } from '../open-engine.ts';

const SEEDS = Number(process.env['WHY_LIVES'] ?? 150);
const STEPS = 25;
const ENDPOINT = 'https://receiver.example/hook';
const RETRIES = 2;
const HOUR_MS = 3_600_000;
/** Failures of an event before it is taken; with more than the retries it is never taken. */
const FAILURES = [0, 0, 0, 1, 2, 99];

/** What happened outside the bus: the oracle of a life. */
class Life {
  readonly world = durableWorld();
  /** Failures that each event has still in store, by its number. */
  readonly failures = new Map<number, number>();
  /** The last attempt that the receiver saw, and whether it took the event. */
  readonly seen = new Map<number, { attempt: number; isTaken: boolean }>();
  readonly events: { readonly id: string; readonly n: number; readonly isWanted: boolean }[] = [];
  readonly #chance: SeededChance;
  bus!: EngineUnderTest;
  id = '';

  constructor(seed: number) {
    this.#chance = new SeededChance(seed);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#chance.fraction() * items.length)]!;
  }

  async open(): Promise<void> {
    const webhookSink = () => sinkOf((batch) => batch.map(({ record, attempt }) => this.#take(record.body, attempt)));
    this.bus = await this.world.open({ webhookSink });
  }

  async begin(order: object): Promise<void> {
    await this.open();
    const options = { breaker: false, maxConcurrency: 3, retryPolicy: fixedRetry(RETRIES, 2_000), ...order };
    const request = { name: 'life', endpoint: ENDPOINT, filter: { sources: ['wanted'] }, options };
    this.id = (await this.bus.subscribe(request)).id;
  }

  async publish(): Promise<void> {
    const n = this.events.length;
    const isWanted = this.pick([true, true, true, false]);
    this.failures.set(n, this.pick(FAILURES));
    const source = isWanted ? 'wanted' : 'other';
    const orderingKey = this.pick(['a', 'b']);
    const { id } = await this.bus.publish(anEvent({ source, payload: { n }, metadata: { orderingKey } }));
    this.events.push({ id, n, isWanted });
  }

  why(eventId: string): Promise<Why> {
    return this.bus.time.run(this.bus.engine.explanations.why(ANONYMOUS, this.id, eventId));
  }

  #take(body: Uint8Array, attempt: number): Outcome {
    const { n } = (JSON.parse(Buffer.from(body).toString()) as { payload: { n: number } }).payload;
    const left = this.failures.get(n)!;
    this.seen.set(n, { attempt, isTaken: left === 0 });
    if (left === 0) return { status: 'delivered' };
    this.failures.set(n, left - 1);
    return { status: 'retry', error: { code: 'down', message: 'Not now.' } };
  }
}

async function step(life: Life): Promise<void> {
  const { subscriptions } = life.bus.engine;
  switch (life.pick(['publish', 'publish', 'publish', 'wait', 'wait', 'pause', 'resume', 'restart', 'crash'])) {
    case 'publish':
      return life.publish();
    case 'wait':
      return life.bus.time.advance(life.pick([10, 300, 1_500, 5_000]));
    case 'pause':
      await life.bus.time.run(subscriptions.pause(ANONYMOUS, life.id));
      return;
    case 'resume':
      await life.bus.time.run(subscriptions.resume(ANONYMOUS, life.id));
      return;
    case 'restart':
      await life.bus.close();
      return life.open();
    default:
      life.bus.crash();
      return life.open();
  }
}

/** The process died in the last attempt, perhaps after the receiver took it: the bus cannot know, and says so. */
function isCut({ reason, facts }: Why): boolean {
  const errors = (facts['errors'] ?? []) as readonly { readonly code: string }[];
  return reason === 'dead_letter' && errors.at(-1)?.code === 'process_died';
}

/** At any moment: nothing is said to be over that is not. */
async function holdNow(life: Life, seed: number): Promise<void> {
  for (const { id, n, isWanted } of life.events) {
    const answer = await life.why(id);
    const { status, reason } = answer;
    const seen = life.seen.get(n);
    const told = `seed ${seed}, event ${n}: ${reason}`;
    if (!isWanted) expect([told, reason]).toEqual([told, 'filter_not_matched']);
    else if (status === 'delivered') expect([told, seen?.isTaken]).toEqual([told, true]);
    else if (status === 'given-up') expect([told, seen?.isTaken && !isCut(answer)]).toEqual([told, false]);
    else expect([told, status]).toEqual([told, 'owed']);
  }
}

/** When nothing is left to do: exactly what the receiver saw. */
async function holdAtEnd(life: Life, seed: number): Promise<void> {
  for (const { id, n, isWanted } of life.events) {
    const answer = await life.why(id);
    const seen = life.seen.get(n);
    const facts = { attempts: answer.facts['attempts'], certain: answer.certain, also: answer.also.length };
    const told = { seed, n, reason: answer.reason, ...(isWanted ? facts : {}) };
    const reason = seen?.isTaken && !isCut(answer) ? 'delivered' : 'dead_letter';
    const truth = isWanted
      ? { reason, attempts: seen?.attempt, certain: true, also: 0 }
      : { reason: 'filter_not_matched' };
    expect(told).toEqual({ seed, n, ...truth });
  }
}

it('tells in random lives of a subscription what its receiver saw, through retries, pauses, restarts and crashes', {
  timeout: 120_000,
}, async () => {
  let asked = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const life = new Life(seed);
    await life.begin(life.pick([{}, { order: 'key' }, { order: 'key', onFailure: 'skip' }]));
    for (let steps = 0; steps < STEPS; steps++) {
      await step(life);
      if (steps % 5 === 4) await holdNow(life, seed);
    }
    await life.bus.time.run(life.bus.engine.subscriptions.resume(ANONYMOUS, life.id));
    await life.bus.time.advance(HOUR_MS);
    await holdAtEnd(life, seed);
    asked += life.events.length;
    await life.bus.close();
  }
  expect(asked).toBeGreaterThan(SEEDS * 5);
});
