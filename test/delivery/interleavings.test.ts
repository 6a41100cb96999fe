import {
  ANONYMOUS,
  type Delivery,
  Engine,
  type EngineOptions,
  type EventBusAdapter,
  type MemoryAdapter,
  memory,
  type Sink,
} from '@event-manager/core';
import { checkHistory, type HistoryEntry, SeededChance, simulatedRuntime } from '@event-manager/testing';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { Interleaving, ScheduledAdapter } from './interleaving.ts';

const SCHEDULES = 1_000;
const WINDOW = 2;
const RETRY = { maxRetries: 2, backoffStrategy: 'fixed', initialDelay: 100, jitter: false };

/** Engines on one memory adapter, each of whose calls waits for the scheduler. */
class Rig {
  readonly steps: Interleaving;
  readonly kept: MemoryAdapter;
  readonly history: HistoryEntry[] = [{ kind: 'subscribe', subscription: 'worker' }];
  readonly #isShared: boolean;
  #opened = 0;

  constructor(scheduler: fc.Scheduler, options: { tickMs: number; isShared?: boolean }) {
    this.steps = new Interleaving(scheduler, options.tickMs);
    this.kept = memory({ runtime: { clock: this.steps.time } });
    void this.kept.open();
    this.#isShared = options.isShared === true;
  }

  async open(sink: (name: string) => Sink['deliver'], options: Partial<EngineOptions> = {}) {
    const name = `process-${this.#opened++}`;
    const { time, scheduler } = this.steps;
    const timers = time.scope();
    const scheduled = new ScheduledAdapter(this.kept, scheduler, this.#isShared);
    const { adapter } = scheduled as { adapter: EventBusAdapter };
    const runtime = simulatedRuntime({ clock: time, timers, chance: new SeededChance(this.#opened) });
    const deliver = sink(name);
    const webhookSink = () => ({ deliver, close: async () => {} });
    const limits = { inFlightMax: WINDOW, ...options.limits };
    const opening = Engine.open({ adapter, runtime, owner: name, webhookSink, ...options, limits });
    const engine = await this.steps.run(opening);
    const kill = () => {
      timers.end();
      scheduled.die();
    };
    return { engine, name, kill };
  }

  subscribe(engine: Engine, options: Record<string, unknown> = {}) {
    const request = { name: 'worker', topic: 'work', endpoint: 'https://receiver.example/', options };
    return this.steps.run(
      engine.subscriptions.subscribe(ANONYMOUS, {
        ...request,
        // Longer than any schedule lasts, except where a test is about it.
        options: { retryPolicy: RETRY, timeoutMs: 3_600_000, maxConcurrency: 2, ...options },
      }),
    );
  }

  async publish(engine: Engine, numbers: readonly number[]): Promise<void> {
    const events = numbers.map((number) => ({ id: idOf(number), topic: 'work', type: 'worked', source: 'test' }));
    for (const { id } of events) this.history.push({ kind: 'invoke', client: 'publisher', id });
    for (const result of await this.steps.run(engine.publishBatch(ANONYMOUS, events))) {
      if (result instanceof Error) throw result;
      this.history.push({ kind: 'ok', id: result.id });
    }
  }

  received(batch: readonly Delivery[], failed = false): void {
    for (const { record, attempt } of batch) {
      this.history.push({ kind: 'deliver', subscription: 'worker', id: record.id, attempt, failed });
    }
  }
}

function idOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

function must(isTrue: boolean, what: string): void {
  if (!isTrue) throw new RangeError(what);
}

async function everySchedule(run: (scheduler: fc.Scheduler, at: number) => Promise<void>): Promise<void> {
  const property = fc.asyncProperty(fc.scheduler(), fc.nat(80), run);
  await fc.assert(property, { numRuns: SCHEDULES, seed: 20_261_121 });
}

/** What looks like one step is many: whatever comes between two of them must change nothing. */
describe(`in ${SCHEDULES} orders of everything that can happen`, () => {
  it('only whoever has the lease begins an attempt, and nothing is lost', { timeout: 600_000 }, async () => {
    await everySchedule(async (scheduler, calmAfter) => {
      const rig = new Rig(scheduler, { tickMs: 600, isShared: true });
      const { state } = rig.kept;
      let owner = '';
      let handovers = -1;
      const acquire = state.acquire.bind(state);
      state.acquire = async (resources, options) => {
        const leases = await acquire(resources, options);
        for (const _lease of leases) {
          owner = options.owner;
          handovers++;
        }
        return leases;
      };
      const sink = (name: string) => async (batch: readonly Delivery[]) => {
        must(owner === name, `${name} begins an attempt, but ${owner} has the lease`);
        rig.received(batch);
        await rig.steps.later('answer');
        return batch.map(() => ({ status: 'delivered' as const }));
      };
      const engines = [await rig.open(sink), await rig.open(sink)].map(({ engine }) => engine);
      const { id } = await rig.subscribe(engines[0]!);
      await rig.publish(engines[1]!, [1, 2, 3, 4]);
      const until = rig.steps.steps + 4 * calmAfter;
      await rig.steps.until(() => rig.steps.steps >= until);
      // Where every call takes longer than a lease lasts, nobody could ever serve.
      rig.steps.tickMs = 10;
      await rig.steps.until(() => engines.some((engine) => engine.health().head >= 4 && engine.isSettled(id)));
      const report = checkHistory(rig.history);
      must(report.lost + report.unexpected + report.attemptsRepeated === 0, JSON.stringify(report));
      must(report.duplicates <= handovers * WINDOW, `${report.duplicates} duplicates after ${handovers} handovers`);
    });
  });

  it('an answer in time is the end of its delivery, and a late one changes nothing', { timeout: 600_000 }, async () => {
    await everySchedule(async (scheduler) => {
      const rig = new Rig(scheduler, { tickMs: 400 });
      const taken = new Set<string>();
      const deliver: Sink['deliver'] = async (batch, { signal }) => {
        for (const { record } of batch) must(!taken.has(record.id), `${record.id} comes again after it was taken`);
        rig.received(batch);
        await rig.steps.later('answer');
        if (!signal.aborted) for (const { record } of batch) taken.add(record.id);
        return batch.map(() => ({ status: 'delivered' as const }));
      };
      const { engine } = await rig.open(() => deliver);
      const { id } = await rig.subscribe(engine, { timeoutMs: 1_000 });
      await rig.publish(engine, [1, 2, 3]);
      await rig.steps.until(() => engine.isSettled(id));
      const letters = (await rig.steps.run(engine.deadLetters.all(ANONYMOUS))).map(({ eventId }) => eventId);
      for (const event of [1, 2, 3].map(idOf)) {
        const ends = Number(taken.has(event)) + letters.filter((letter) => letter === event).length;
        must(ends === 1, `${event} came to ${ends} ends`);
      }
    });
  });

  it('a dead letter and the event that tells of it are there once, whatever dies', { timeout: 600_000 }, async () => {
    await everySchedule(async (scheduler, diesAt) => {
      const rig = new Rig(scheduler, { tickMs: 100 });
      const error = { code: 'no', message: 'never' };
      const sink = () => async (batch: readonly Delivery[]) => {
        rig.received(batch, batch[0]!.record.id === idOf(2));
        await rig.steps.later('answer');
        return batch.map(({ record }) =>
          record.id === idOf(2) ? { status: 'reject' as const, error } : { status: 'delivered' as const },
        );
      };
      const first = await rig.open(sink);
      const { id } = await rig.subscribe(first.engine, { deadLetterTopic: 'dead', batchSize: 1 });
      await rig.publish(first.engine, [1, 2, 3]);
      const until = rig.steps.steps + diesAt;
      await rig.steps.until(() => rig.steps.steps >= until);
      first.kill();
      const { engine } = await rig.open(sink);
      const isTold = () => engine.health().head >= 4;
      await rig.steps.until(() => engine.isSettled(id) && isTold());
      const letters = await rig.steps.run(engine.deadLetters.all(ANONYMOUS));
      must(letters.length === 1 && letters[0]!.eventId === idOf(2), `${letters.length} dead letters`);
      const { records } = await rig.kept.store.read(0, 0, { limit: 100, bytesMax: 1_000_000 });
      const told = records.filter(({ topic }) => topic === 'dead').length;
      must(told === 1, `told ${told} times`);
      must(checkHistory([...rig.history, endOf(letters[0]!.eventId)]).lost === 0, 'something was lost');
    });
  });

  it('an id is one event, whoever publishes it at the same time', { timeout: 600_000 }, async () => {
    await everySchedule(async (scheduler, diesAt) => {
      const rig = new Rig(scheduler, { tickMs: 100, isShared: true });
      const sink = () => async (batch: readonly Delivery[]) => batch.map(() => ({ status: 'delivered' as const }));
      const [one, two] = [await rig.open(sink), await rig.open(sink)];
      const event = { id: idOf(1), topic: 'work', type: 'paid', source: 'test', payload: { amount: 1 } };
      const publish = ({ engine }: { engine: Engine }, payload = event.payload) =>
        engine.publish(ANONYMOUS, { ...event, payload }).then(
          (result) => (result.duplicate ? 'duplicate' : 'stored'),
          (error: { code: string }) => error.code,
        );
      const answers = [publish(one), publish(two), publish(one), publish(two, { amount: 2 })];
      const until = rig.steps.steps + diesAt;
      await rig.steps.until(() => rig.steps.steps >= until);
      one.kill();
      const again = await rig.steps.run(publish(two));
      const heard = [...(await rig.steps.run(Promise.all([answers[1]!, answers[3]!]))), again];
      const { records } = await rig.kept.store.read(0, 0, { limit: 100, bytesMax: 1_000_000 });
      must(records.filter(({ id }) => id === event.id).length === 1, 'stored twice');
      must(heard.filter((answer) => answer === 'stored').length <= 1, `answered ${heard}`);
      // One of the two contents won; whoever sent the other is told.
      must(heard.includes('id_conflict'), `nobody was told of the conflict: ${heard}`);
    });
  });

  it('retention takes nothing but what it says, whatever is read at the time', { timeout: 600_000 }, async () => {
    await everySchedule(async (scheduler, trimAfter) => {
      const rig = new Rig(scheduler, { tickMs: 100 });
      const sink = () => async (batch: readonly Delivery[]) => {
        rig.received(batch);
        await rig.steps.later('answer');
        return batch.map(() => ({ status: 'delivered' as const }));
      };
      const { engine } = await rig.open(sink, { limits: { laneEntriesMax: 2, queueMaxSize: 2 } });
      const { id } = await rig.subscribe(engine);
      await rig.publish(engine, [1, 2, 3, 4]);
      const until = rig.steps.steps + trimAfter;
      await rig.steps.until(() => rig.steps.steps >= until);
      // In half of them what is owed has to go, too.
      engine.retention.follow({ eventsMax: 2, ...(trimAfter % 2 === 0 ? {} : { owedBytesMax: 1 }) });
      const removing = engine.retention.runNow();
      await rig.publish(engine, [5, 6]);
      await rig.steps.run(removing);
      await rig.steps.until(() => engine.isSettled(id));
      const { lost, duplicates, delivered } = checkHistory(rig.history);
      const [record] = await rig.kept.state.get('debt-removal', [`${id}/0`]);
      const removed = (record?.value as { count: number } | undefined)?.count ?? 0;
      must(lost <= removed, `${delivered} delivered, ${removed} removed, ${lost} lost`);
      must(trimAfter % 2 === 1 || removed === 0, `${removed} removed that were held`);
      must(duplicates === 0, 'delivered twice');
    });
  });
});

function endOf(id: string): HistoryEntry {
  return { kind: 'end', subscription: 'worker', id, state: 'deadLettered' };
}
