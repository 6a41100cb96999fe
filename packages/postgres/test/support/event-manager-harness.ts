import { type EventBusAdapter, EventManager } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { ajvSchemas } from '@event-manager/schema';
import type { EventManagerHarness } from '@event-manager/testing/conformance';
import type { Databases } from './databases.ts';

/** Embedded event managers on a fresh database each; `wrap` puts something around the adapters of one of them. */
export function eventManagerHarness(
  databases: Databases,
  name: string,
  wrap: () => (adapter: EventBusAdapter) => EventBusAdapter = () => (adapter) => adapter,
): EventManagerHarness {
  return {
    name,
    async open() {
      const database = await databases.create();
      const around = wrap();
      const make = () => {
        const adapter = around(postgres({ url: database.url, maxConnections: 4 }));
        return new EventManager({ adapter, schemas: ajvSchemas() });
      };
      let events = make();
      return {
        events,
        async reopen() {
          await events.close();
          events = make();
          return events;
        },
        async dispose() {
          await events.close();
          await database.drop();
        },
      };
    },
  };
}
