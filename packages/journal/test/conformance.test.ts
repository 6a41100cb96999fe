import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { journal } from '@event-manager/journal';
import {
  type ConformanceHarness,
  eventStoreConformance,
  stateStoreConformance,
} from '@event-manager/testing/conformance';
import { AdjustableRuntime } from './support/adjustable-runtime.ts';

// Small segments: every test of more than a few events crosses seals.
const SEGMENT_BYTES_MAX = 16 << 10;

const harness: ConformanceHarness = {
  name: 'journal',
  supports: journal({ directory: 'unused' }).supports,
  async open() {
    const directory = await mkdtemp(join(tmpdir(), 'event-manager-journal-'));
    const runtime = new AdjustableRuntime();
    const make = () =>
      journal({ directory, runtime, segmentBytesMax: SEGMENT_BYTES_MAX, stateLogBytesMax: 4096, reserveBytes: 4096 });
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
      async openSecond() {
        const second = make();
        await second.open();
        return second;
      },
      async dispose() {
        await current.close();
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
};

eventStoreConformance(harness);
stateStoreConformance(harness);
