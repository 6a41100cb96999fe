import type { EventBusAdapter, Runtime, Timers } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { type SeededChance, SimulatedDisk, SimulatedShared, type VirtualTime } from '@event-manager/testing';
import type { FaultPlan, Plan } from './plan.ts';

/** Where the simulated processes keep their events, with the ways in which it can go wrong. */
export interface World {
  /** The adapter of one process, and how it dies. */
  connect(runtime: Runtime, timers: Timers): { readonly adapter: EventBusAdapter; die(): void };
  /** How often service of a subscription has passed to another process, or back to the same one, by a new lease. */
  handovers(subscriptionId: string): number;
  /** The process that has the lease of a subscription, where leases decide. */
  ownerOf(subscriptionId: string): string | undefined;
  /** A letter from or to a process was longer on its way than usual at some time of these. */
  wasSlow(process: string, fromMs: number, toMs: number): boolean;
  fault(fault: FaultPlan): void;
  /** Ends all faults for good: what follows must recover. */
  heal(): void;
}

export interface WorldOptions {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly chance: SeededChance;
  readonly note: (what: string) => void;
  /** Service of a subscription passes to another process. */
  readonly onHandover: (subscriptionId: string) => void;
  /** An owner may not hear that a member elsewhere began what it was handed, and hand it to another one. */
  readonly onBegunLost: () => void;
}

export function createWorld(options: WorldOptions): World {
  return options.plan.world === 'journal' ? journalWorld(options) : sharedWorld(options);
}

const SEGMENT_BYTES_MAX = 4 * 1024;
const STATE_LOG_BYTES_MAX = 2 * 1024;
const DIRECTORY = '/data';
const RESOURCE_PREFIX = 'subscription/';

function journalWorld({ plan, time, chance, note }: WorldOptions): World {
  const disk = new SimulatedDisk({
    chance: chance.fork('disk'),
    timers: time,
    shortWriteShare: 0.02,
    onOperation: (operation, path) => note(`disk ${operation} ${path}`),
  });
  return {
    connect(runtime) {
      const mounted = disk.mount();
      const sizes = {
        segmentBytesMax: SEGMENT_BYTES_MAX,
        stateLogBytesMax: STATE_LOG_BYTES_MAX,
        reserveBytes: 8 * 1024,
      };
      const adapter = journal({ directory: DIRECTORY, disk: mounted, runtime, ...sizes });
      const losesPower = chance.happens(plan.powerLossShare);
      return { adapter, die: () => (losesPower ? disk.crash() : mounted.kill()) };
    },
    handovers: () => 0,
    ownerOf: () => undefined,
    wasSlow: () => false,
    fault({ kind, amountMs }) {
      if (kind === 'sync-fails') disk.failSync(chance.pick([/\.log$/, /state/, /witness/]));
      if (kind === 'read-fails') disk.fail({ operation: 'read', path: /events|segment/, code: 'EIO' });
      if (kind !== 'disk-full') return;
      disk.fill(chance.integer(2_000));
      time.after(amountMs, () => disk.fill(Number.MAX_SAFE_INTEGER));
    },
    heal() {
      disk.clearFaults();
      disk.fill(Number.MAX_SAFE_INTEGER);
    },
  };
}

function sharedWorld({ time, chance, note, onHandover, onBegunLost }: WorldOptions): World {
  const onLetterLost = (letter: string) => {
    if (letter.includes('"begun"')) onBegunLost();
  };
  const slow: { readonly names: readonly string[]; readonly fromMs: number; readonly toMs: number }[] = [];
  const onLetterSlow = (from: string, to: string, toMs: number) => {
    slow.push({ names: [from, to], fromMs: time.monotonicMs(), toMs });
  };
  const shared = new SimulatedShared({ time, chance: chance.fork('shared'), onLetterLost, onLetterSlow });
  const acquired = new Map<string, number>();
  const owners = new Map<string, string>();
  const { state, store } = shared.kept;
  const trim = store.trim.bind(store);
  store.trim = (upTo) => {
    note(`trim ${upTo.map(({ position }) => position).join(' ')}`);
    return trim(upTo);
  };
  const acquire = state.acquire.bind(state);
  state.acquire = async (resources, options) => {
    const leases = await acquire(resources, options);
    for (const { resource } of leases) {
      acquired.set(resource, (acquired.get(resource) ?? 0) + 1);
      owners.set(resource, options.owner);
      note(`lease ${resource} ${options.owner}`);
      onHandover(resource.slice(RESOURCE_PREFIX.length));
    }
    return leases;
  };
  return {
    handovers: (subscriptionId) => (acquired.get(`${RESOURCE_PREFIX}${subscriptionId}`) ?? 1) - 1,
    ownerOf: (subscriptionId) => owners.get(`${RESOURCE_PREFIX}${subscriptionId}`),
    wasSlow: (process, fromMs, toMs) =>
      slow.some((letter) => letter.names.includes(process) && letter.fromMs <= toMs && fromMs <= letter.toMs),
    connect(_runtime, timers) {
      const handle = shared.connect(timers);
      return { adapter: handle, die: () => handle.crash() };
    },
    fault() {},
    heal() {},
  };
}
