import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { journal } from '@event-manager/journal';
import { localQueueConformance } from '@event-manager/testing/conformance';
import { AdjustableRuntime } from './support/adjustable-runtime.ts';

localQueueConformance({
  name: 'journal',
  supports: journal({ directory: 'unused' }).supports,
  async open() {
    const directory = await mkdtemp(join(tmpdir(), 'event-manager-journal-'));
    const runtime = new AdjustableRuntime();
    // Small files: the longer tests cross several seals and snapshots.
    const make = () =>
      journal({ directory, runtime, segmentBytesMax: 16 << 10, stateLogBytesMax: 16 << 10, reserveBytes: 4096 });
    let current = make();
    await current.open();
    return {
      adapter: current,
      async reopen() {
        await current.close();
        current = make();
        await current.open();
        return current;
      },
      elapse: async (ms) => runtime.elapse(ms),
      jumpWall: (ms) => runtime.jumpWall(ms),
      async dispose() {
        await current.close();
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
});
