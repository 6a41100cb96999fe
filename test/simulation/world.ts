import type { EventBusAdapter, Runtime } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { type SeededChance, SimulatedDisk, SimulatedShared, type VirtualTime } from '@event-manager/testing';
import type { FaultPlan, Plan } from './plan.ts';

/** Where the simulated processes keep their events, with the ways in which it can go wrong. */
export interface World {
  /** The adapter of one process, and how it dies. */
  connect(runtime: Runtime): { readonly adapter: EventBusAdapter; die(): void };
  fault(fault: FaultPlan): void;
  /** Ends all faults for good: what follows must recover. */
  heal(): void;
}

export interface WorldOptions {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly chance: SeededChance;
  readonly note: (what: string) => void;
}

export function createWorld(options: WorldOptions): World {
  return options.plan.world === 'journal' ? journalWorld(options) : sharedWorld(options);
}

const SEGMENT_BYTES_MAX = 4 * 1024;
const DIRECTORY = '/data';

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
      const adapter = journal({ directory: DIRECTORY, disk: mounted, runtime, segmentBytesMax: SEGMENT_BYTES_MAX });
      const losesPower = chance.happens(plan.powerLossShare);
      return { adapter, die: () => (losesPower ? disk.crash() : mounted.kill()) };
    },
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

function sharedWorld({ time, chance }: WorldOptions): World {
  const shared = new SimulatedShared({ time, chance: chance.fork('shared') });
  return {
    connect() {
      const handle = shared.connect();
      return { adapter: handle, die: () => handle.crash() };
    },
    fault() {},
    heal() {},
  };
}
