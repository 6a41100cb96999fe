// Not a test by itself: `mutants.e2e.test.ts` runs it and wants every adapter but the sound one to fail.
import { memory } from '@event-manager/core';
import { type ConformanceHarness, eventStoreConformance, stateStoreConformance } from '../../src/conformance/index.ts';
import { VirtualTime } from '../../src/virtual-time.ts';
import { EVENT_STORE_MUTANTS } from './event-store-mutants.ts';
import type { Mutants } from './replace.ts';
import { STATE_STORE_MUTANTS } from './state-store-mutants.ts';

function harnessOf(name: string, spoil: Mutants[string]): ConformanceHarness {
  return {
    name: `<${name}>`,
    supports: memory().supports,
    async open() {
      const time = new VirtualTime();
      const adapter = memory({ runtime: { clock: time } });
      spoil(adapter, time);
      await adapter.open();
      const reopen = async () => {
        await adapter.close();
        await adapter.open();
        return adapter;
      };
      const [elapse, jumpWall] = [(ms: number) => time.advance(ms), (ms: number) => time.jumpWall(ms)];
      return { adapter, reopen, elapse, jumpWall, dispose: () => adapter.close() };
    },
  };
}

const SOUND = harnessOf('sound', () => {});

eventStoreConformance(SOUND);
stateStoreConformance(SOUND);
for (const [name, spoil] of Object.entries(EVENT_STORE_MUTANTS)) eventStoreConformance(harnessOf(name, spoil));
for (const [name, spoil] of Object.entries(STATE_STORE_MUTANTS)) stateStoreConformance(harnessOf(name, spoil));
