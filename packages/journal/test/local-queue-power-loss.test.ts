import type { EventBusAdapter } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { SeededChance, SimulatedDisk, simulatedRuntime, VirtualTime } from '@event-manager/testing';
import { localQueueConformance } from '@event-manager/testing/conformance';

// Whenever the suite kills the engine, the power goes too: what was written and not synced is lost, or torn, by chance.
localQueueConformance({
  name: 'journal with power cuts',
  supports: journal({ directory: 'unused' }).supports,
  async open() {
    const time = new VirtualTime();
    const stopTime = time.runInBackground();
    const chance = new SeededChance(1);
    const disk = new SimulatedDisk({ timers: time, chance: chance.fork('disk'), shortWriteShare: 0.05 });
    let endProcess = () => {};
    let current: EventBusAdapter;
    const start = async () => {
      const timers = time.scope();
      endProcess = () => timers.end();
      const runtime = simulatedRuntime({ clock: time, timers, chance });
      const sizes = { segmentBytesMax: 16 << 10, stateLogBytesMax: 16 << 10, reserveBytes: 0 };
      current = journal({ directory: '/data', disk: disk.mount(), runtime, ...sizes });
      await current.open();
      return current;
    };
    return {
      adapter: await start(),
      async reopen() {
        await current.close();
        endProcess();
        return start();
      },
      async crash() {
        endProcess();
        disk.crash();
        return start();
      },
      elapse: (ms) => time.wait(ms),
      jumpWall: (ms) => time.jumpWall(ms),
      async dispose() {
        await current.close();
        stopTime();
      },
    };
  },
});
