import { setTimeout as pause } from 'node:timers/promises';
import { type EventBusAdapter, type Runtime, systemRuntime } from '@event-manager/core';
import { redis } from '@event-manager/redis';
import type { ConformanceHarness } from '@event-manager/testing/conformance';
import { createTestKeys } from '@event-manager/testing/servers';

/** Adapters on an empty part of the server each. The clock of the server cannot be turned, so time is waited for in earnest. */
export function redisHarness(): ConformanceHarness {
  return {
    name: 'redis',
    supports: redis({ durability: 'synced' }).supports,
    async open() {
      const keys = await createTestKeys();
      const opened = new Set<EventBusAdapter>();
      let jumpedMs = 0;
      const clock = { ...systemRuntime.clock, wallMs: () => systemRuntime.clock.wallMs() + jumpedMs };
      const runtime: Runtime = { ...systemRuntime, clock };
      const make = async (): Promise<EventBusAdapter> => {
        const adapter = redis({ url: keys.url, keyPrefix: keys.keyPrefix, durability: 'synced', runtime });
        opened.add(adapter);
        await adapter.open();
        return adapter;
      };
      const close = async (adapter: EventBusAdapter) => {
        opened.delete(adapter);
        await adapter.close();
      };
      let current = await make();
      return {
        adapter: current,
        async reopen() {
          await close(current);
          current = await make();
          return current;
        },
        elapse: async (ms) => void (await pause(ms)),
        jumpWall: (ms) => {
          jumpedMs += ms;
        },
        openSecond: make,
        async dispose() {
          await Promise.all([...opened].map(close));
          await keys.remove();
        },
      };
    },
  };
}
