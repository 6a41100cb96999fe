import {
  ANONYMOUS,
  type Event,
  EventManagerError,
  type EventStore,
  type Sink,
  type StateStore,
  type SubscribeRequest,
} from '@event-manager/core';
import { SeededChance, SimulatedShared, type SimulatedSharedOptions, VirtualTime } from '@event-manager/testing';
import { type EngineUnderTest, openOn, type SetUp } from './open-engine.ts';

type Trouble = Partial<Omit<SimulatedSharedOptions, 'time' | 'chance'>>;

/** Nothing is slow, lost or doubled. */
export const CALM: Trouble = {
  stallShare: 0,
  hintLossShare: 0,
  letterLossShare: 0,
  letterTwiceShare: 0,
  letterStallShare: 0,
};

/** Several processes on one store, on virtual time. */
export class SeveralEngines {
  readonly time = new VirtualTime();
  readonly shared: SimulatedShared;
  readonly all: EngineUnderTest[] = [];
  readonly names = new Map<EngineUnderTest, string>();
  readonly #handles = new Map<EngineUnderTest, ReturnType<SimulatedShared['connect']>>();
  readonly #timers = new Map<EngineUnderTest, ReturnType<VirtualTime['scope']>>();
  #opened = 0;

  constructor(seed = 7, trouble: Trouble = CALM) {
    this.shared = new SimulatedShared({ time: this.time, chance: new SeededChance(seed), ...trouble });
  }

  static async of(count: number, setUp: SetUp = {}, seed?: number, trouble?: Trouble): Promise<SeveralEngines> {
    const engines = new SeveralEngines(seed, trouble);
    for (let at = 0; at < count; at++) await engines.open(setUp);
    await engines.time.advance(2_000);
    return engines;
  }

  async open(setUp: SetUp = {}): Promise<EngineUnderTest> {
    const name = String.fromCharCode(97 + this.#opened++);
    // Its own timers reach the adapter, too: a process that sleeps hears nothing.
    const scope = this.time.scope();
    const handle = this.shared.connect(scope);
    const bus = await openOn(handle, this.time, { owner: name, timers: scope, ...setUp });
    this.all.push(bus);
    this.names.set(bus, name);
    this.#handles.set(bus, handle);
    this.#timers.set(bus, scope);
    return bus;
  }

  crash(bus: EngineUnderTest): void {
    this.all.splice(this.all.indexOf(bus), 1);
    bus.crash();
    this.#handles.get(bus)!.crash();
  }

  /** Every commit fails from now on, for no reason that passes. */
  breakStore(bus: EngineUnderTest): void {
    const commit = () => Promise.reject(new EventManagerError('store_failed', 'The disk is gone.'));
    Object.assign(this.#handles.get(bus)!.state, { commit });
  }

  /** The way of one process to what all share. */
  stateOf(bus: EngineUnderTest): StateStore {
    return this.#handles.get(bus)!.state;
  }

  storeOf(bus: EngineUnderTest): EventStore {
    return this.#handles.get(bus)!.store;
  }

  async leave(bus: EngineUnderTest): Promise<void> {
    this.all.splice(this.all.indexOf(bus), 1);
    await bus.close();
  }

  /** Stands still, as one that was sent SIGSTOP. */
  sleep(bus: EngineUnderTest, forMs: number): void {
    const timers = this.#timers.get(bus)!;
    timers.suspend();
    this.time.after(forMs, () => timers.resume());
  }

  /** Who of those that live serves a subscription. */
  ownerOf(id: string): EngineUnderTest | undefined {
    return this.all.find((bus) => bus.engine.isServing(id));
  }

  shares(ids: readonly string[]): number[] {
    return this.all.map((bus) => ids.filter((id) => bus.engine.isServing(id)).length);
  }

  async close(): Promise<void> {
    for (const bus of [...this.all]) await this.leave(bus);
  }
}

/** What a member saw: the numbers of events with their attempts. */
export interface Seen {
  readonly seen: string[];
}

/** A handler that notes what it gets, and ends when the test says so or after `tookMs`. */
export async function attachHandler(
  bus: EngineUnderTest,
  { name = 's', tookMs = 0, options }: { name?: string; tookMs?: number; options?: object } = {},
  before: (event: Event) => unknown = () => {},
): Promise<Seen & { id: string }> {
  const seen: string[] = [];
  const handler: SubscribeRequest['handler'] = async (event, { attempt }) => {
    seen.push(`${String(event.payload['n'])}#${attempt}`);
    await before(event);
    if (tookMs > 0) await bus.time.wait(tookMs);
  };
  const { id } = await bus.subscribe({ name, handler, options });
  return { id, seen };
}

/** A webhook whose sink takes everything at once. */
export function takesAll(): { webhookSink: () => Sink; seen: string[] } {
  const seen: string[] = [];
  const webhookSink = (): Sink => ({
    deliver: (batch) => {
      for (const { record, attempt } of batch) {
        seen.push(`${JSON.parse(Buffer.from(record.body).toString()).payload.n}#${attempt}`);
      }
      return batch.map(() => ({ status: 'delivered' as const }));
    },
    close: async () => {},
  });
  return { webhookSink, seen };
}

export function detach(bus: EngineUnderTest, id: string, options?: { drainMs?: number }): Promise<void> {
  return bus.time.run(bus.engine.subscriptions.detach(ANONYMOUS, id, options));
}

export function numbers(from: number, through: number): string[] {
  return Array.from({ length: through - from + 1 }, (_, at) => `${from + at}#1`);
}
