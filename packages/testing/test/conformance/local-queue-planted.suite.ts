// Not a test by itself: `local-queue-planted.e2e.test.ts` runs it and wants every engine but the sound one to fail.
import { memory, type PlantedBug } from '@event-manager/core';
import { type ConformanceHarness, localQueueConformance } from '../../src/conformance/index.ts';
import { VirtualTime } from '../../src/virtual-time.ts';

function harnessOf(name: string): ConformanceHarness {
  return {
    name: `<${name}>`,
    supports: memory().supports,
    async open() {
      const time = new VirtualTime();
      const adapter = memory({ runtime: { clock: time } });
      await adapter.open();
      const reopen = async () => adapter;
      const [elapse, jumpWall] = [(ms: number) => time.advance(ms), (ms: number) => time.jumpWall(ms)];
      return { adapter, reopen, elapse, jumpWall, dispose: () => adapter.close() };
    },
  };
}

const PLANTED: readonly PlantedBug[] = ['dead-letter-not-atomic', 'window-lost-at-restart'];

localQueueConformance(harnessOf('sound'));
for (const bug of PLANTED) localQueueConformance(harnessOf(bug), { planted: [bug] });
