import type { StateChange, StateStore } from '../contracts/state-store.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import { OneAtATime } from '../dispatch/one-at-a-time.ts';
import { type EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import type { Timers } from '../runtime/clock.ts';
import { isLeft } from './is-left.ts';
import type { PartDriver, RunRooms } from './part-driver.ts';
import type { RunPart, RunRecord } from './run.ts';
import { partChange, type RunRecords } from './run-records.ts';

export interface ServedPartsOptions {
  readonly subscription: ActiveSubscription;
  readonly records: RunRecords;
  readonly rooms: RunRooms;
  readonly state: StateStore;
  readonly timers: Timers;
  /** The part of this run is over, durably. */
  readonly onEnded: (runId: string) => void;
  readonly onFailure: (error: unknown) => void;
}

/**
 * The parts of runs that one subscription has to do while it is served here. Each `look` compares what is done with what is
 * kept: parts that came are begun, and those about which something else was said since follow that. What makes a run impossible
 * fails its part: the deliveries beside it have nothing to do with it.
 */
export class ServedParts {
  readonly #options: ServedPartsOptions;
  readonly #drivers = new Map<string, PartDriver>();
  /** Ended here: a look that read the part before would begin it anew. */
  readonly #ended = new Set<string>();
  readonly #looking: OneAtATime;

  constructor(options: ServedPartsOptions) {
    this.#options = options;
    this.#looking = new OneAtATime(() => this.#look(), options.onFailure, options.timers);
  }

  get size(): number {
    return this.#drivers.size;
  }

  /** How far a run is here, if it goes on here. */
  partOf(runId: string): RunPart | undefined {
    return this.#drivers.get(runId)?.part;
  }

  look(): void {
    this.#looking.poke();
  }

  /** Resolves when the look that was asked for last is through. */
  async looked(): Promise<void> {
    await this.#looking.ended();
  }

  /** How far they are can be asked for afterwards, too. */
  async stop(drainMs: number): Promise<void> {
    // A look under way begins nothing after this. It may wait for a part to be cancelled, which gives up once that is stopped.
    const looked = this.#looking.stop();
    await Promise.all([...this.#drivers.values()].map((driver) => driver.stop(drainMs)));
    await looked;
  }

  drop(): void {
    // A look under way begins nothing after this.
    void this.#looking.stop();
    for (const driver of this.#drivers.values()) driver.drop();
    this.#drivers.clear();
  }

  async #look(): Promise<void> {
    const { subscription, records } = this.#options;
    const parts = await records.openParts(subscription.id);
    const ids = [...new Set([...parts.keys(), ...this.#drivers.keys()])];
    const runs = await this.#runsOf(ids, parts);
    for (const id of ids) {
      if (this.#looking.isStopped) return;
      if (this.#ended.has(id) || !runs.has(id)) continue;
      const run = runs.get(id);
      const driver = this.#drivers.get(id) ?? (run && parts.has(id) ? this.#begin(run, parts.get(id)!) : undefined);
      if (driver) await this.#follow(id, driver, run?.wanted ?? 'cancelled');
    }
  }

  /** By id; `undefined` for one that is not kept any more. Without those that cannot be read, whose parts fail. */
  async #runsOf(
    ids: readonly string[],
    parts: ReadonlyMap<string, RunPart>,
  ): Promise<ReadonlyMap<string, RunRecord | undefined>> {
    const { records } = this.#options;
    try {
      const found = await records.get(ids);
      return new Map(ids.map((id, at) => [id, found[at]?.record]));
    } catch (error) {
      if (!isEventManagerError(error, 'corrupt_record')) throw error;
      const [id, ...others] = ids;
      if (others.length > 0)
        return new Map([...(await this.#runsOf([id!], parts)), ...(await this.#runsOf(others, parts))]);
      const part = parts.get(id!);
      // One that goes on here knows what it is to do.
      if (part && !this.#drivers.has(id!)) await this.#fail(id!, part, error);
      return new Map();
    }
  }

  async #fail(id: string, part: RunPart, { code, message }: EventManagerError): Promise<void> {
    try {
      await this.#commit(id, { ...part, state: 'failed', error: { code, message } });
    } catch (error) {
      if (!isLeft(error)) throw error;
    }
  }

  async #commit(id: string, part: RunPart, changes: readonly StateChange[] = []): Promise<void> {
    const { subscription, state } = this.#options;
    const { lease } = subscription;
    const change = partChange(id, part);
    await state.commit([lease ? { ...change, lease } : change, ...changes]);
  }

  async #follow(id: string, driver: PartDriver, wanted: RunRecord['wanted']): Promise<void> {
    if (wanted === 'running') driver.resume();
    else if (wanted === 'paused') driver.pause();
    else {
      await driver.cancel();
      this.#ended.add(id);
      this.#drivers.delete(id);
    }
  }

  /** `undefined` for a kind that only a later version knows. */
  #begin(run: RunRecord, part: RunPart): PartDriver | undefined {
    const { rooms, subscription, onFailure } = this.#options;
    const driver = rooms[run.kind]?.drive({
      ...{ run, part, subscription, onFailure },
      commit: (now, changes) => this.#commit(run.id, now, changes),
      onEnded: () => {
        this.#ended.add(run.id);
        this.#drivers.delete(run.id);
        this.#options.onEnded(run.id);
      },
    });
    if (driver) this.#drivers.set(run.id, driver);
    return driver;
  }
}
