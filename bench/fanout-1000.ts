import { join } from 'node:path';
import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { inFlight } from './in-flight.ts';
import { sampleEvent } from './sample-events.ts';
import { median } from './statistics.ts';

const WINDOW = 512;
const ROUNDS = 3;
const OWED_PER_EVENT = 10;
const DELIVERIES_PER_SECOND_MIN = 100_000;
const RATIO_MIN = 0.8;

interface Round {
  readonly publishedPerSecond: number;
  readonly deliveredPerSecond: number;
}

/** A thousand subscriptions of which each event is owed to ten, against ten that are owed everything. */
export async function fanout1000(bench: Bench): Promise<Measured> {
  const subscriptions = sized(bench, { full: 1_000, quick: 1_000, smoke: 20 });
  const count = sized(bench, { full: 100_000, quick: 30_000, smoke: 100 });
  const topics = subscriptions / OWED_PER_EVENT;
  const many = await Fan.open(
    join(bench.folder, 'many'),
    Array.from({ length: subscriptions }, (_, index) => fanTopic(index % topics)),
  );
  const few = await Fan.open(
    join(bench.folder, 'few'),
    Array.from({ length: OWED_PER_EVENT }, () => '#'),
  );
  const manyRounds: Round[] = [];
  const fewRounds: Round[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const baseline = await few.round(count, topics);
    const fanned = await many.round(count, topics);
    if (round === 0) continue;
    fewRounds.push(baseline);
    manyRounds.push(fanned);
  }
  await many.close();
  await few.close();
  return conclude(manyRounds, fewRounds);
}

function conclude(many: readonly Round[], few: readonly Round[]): Measured {
  const value = median(many.map((round) => round.deliveredPerSecond));
  const published = median(many.map((round) => round.publishedPerSecond));
  const baseline = median(few.map((round) => round.publishedPerSecond));
  const ratio = published / baseline;
  return {
    value,
    unit: 'deliveries/s',
    ratio,
    ok: value >= DELIVERIES_PER_SECOND_MIN && ratio >= RATIO_MIN,
    note: 'named subscriptions on the journal, checkpoints on; ratio: events published per second, to 10 subscriptions of everything',
    details: {
      publishedPerSecond: published,
      baselinePublishedPerSecond: baseline,
      baselineDeliveriesPerSecond: median(few.map((round) => round.deliveredPerSecond)),
    },
  };
}

function fanTopic(index: number): string {
  return `bench/fan/${index}`;
}

/** A bus with one named subscription for each pattern, and the count of what they received. */
class Fan {
  readonly #bus: EventManager;
  #delivered = 0;
  #awaited = 0;
  #onAll: () => void = () => {};

  static async open(directory: string, patterns: readonly string[]): Promise<Fan> {
    const fan = new Fan(directory);
    await Promise.all(patterns.map((topic, index) => fan.#subscribe(topic, `fan-${index}`)));
    return fan;
  }

  private constructor(directory: string) {
    this.#bus = new EventManager({ adapter: journal({ directory }) });
  }

  /** From the first publish to the last acknowledgement, and to the last delivery. */
  async round(count: number, topics: number): Promise<Round> {
    this.#delivered = 0;
    this.#awaited = count * OWED_PER_EVENT;
    const all = new Promise<void>((resolve) => {
      this.#onAll = resolve;
    });
    const startedMs = performance.now();
    const { perSecond } = await inFlight({
      count,
      window: WINDOW,
      call: (index) => this.#bus.publish({ ...sampleEvent(index), topic: fanTopic(index % topics) }),
    });
    await all;
    const tookMs = performance.now() - startedMs;
    await this.#bus.settled();
    return { publishedPerSecond: perSecond, deliveredPerSecond: (this.#awaited * 1_000) / tookMs };
  }

  close(): Promise<void> {
    return this.#bus.close();
  }

  async #subscribe(topic: string, name: string): Promise<void> {
    const handler = () => {
      if (++this.#delivered === this.#awaited) this.#onAll();
    };
    await this.#bus.subscribe({ topic, name, handler });
  }
}
