import type { EventBusAdapter } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { FaultProxy } from '@event-manager/testing';
import type { ConformanceHarness } from '@event-manager/testing/conformance';
import { AdjustableRuntime } from './adjustable-runtime.ts';
import { connect, type Databases } from './databases.ts';

/** The small steps in which an engine is driven are told to the server together: leases last far longer. */
const STEP_MS_MAX = 50;
const TOLD_MS = 1_000;
/** A process that died is started again when its leases have run out. */
const DOWN_MS = 60_000;

/** What is put around each adapter. */
export interface Wrapping {
  readonly name: string;
  wrap(adapter: EventBusAdapter): EventBusAdapter;
}

const UNWRAPPED: Wrapping = { name: 'postgres', wrap: (adapter) => adapter };

/** Adapters on a fresh database each; with `canCrash` every one reaches the server by a way that can be cut. */
export function postgresHarness(
  databases: Databases,
  canCrash: 'crashes' | 'never crashes' = 'never crashes',
  { name, wrap }: Wrapping = UNWRAPPED,
): ConformanceHarness {
  return {
    name,
    supports: postgres({ url: 'postgres://any' }).supports,
    async open() {
      const database = await databases.create();
      const clock = await connect(database.url);
      const runtime = new AdjustableRuntime();
      const opened = new Set<EventBusAdapter>();
      let proxy: FaultProxy | undefined;
      const make = async (): Promise<EventBusAdapter> => {
        if (canCrash === 'crashes') proxy = await FaultProxy.start(database.url);
        const { url } = proxy ?? database;
        const adapter = wrap(postgres({ url, runtime, maxConnections: 4 }));
        opened.add(adapter);
        await adapter.open();
        return adapter;
      };
      const close = async (adapter: EventBusAdapter) => {
        opened.delete(adapter);
        await adapter.close();
      };
      let current = await make();
      let untoldMs = 0;
      const tell = async (ms: number) => {
        await clock.query('UPDATE test_time SET elapsed_ms = elapsed_ms + $1', [ms]);
      };
      const crash = async () => {
        await proxy!.close();
        await tell(DOWN_MS);
        current = await make();
        return current;
      };
      return {
        adapter: current,
        async reopen() {
          await close(current);
          await proxy?.close();
          current = await make();
          return current;
        },
        ...(canCrash === 'crashes' ? { crash } : {}),
        async elapse(ms) {
          untoldMs += ms;
          if (ms <= STEP_MS_MAX && untoldMs < TOLD_MS) return;
          await tell(untoldMs);
          untoldMs = 0;
        },
        jumpWall: (ms) => runtime.jumpWall(ms),
        openSecond: make,
        async dispose() {
          await Promise.all([...opened].map(close));
          await proxy?.close();
          await clock.end();
          await database.drop();
        },
      };
    },
  };
}
