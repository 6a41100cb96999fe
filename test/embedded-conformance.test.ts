import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EventBusAdapter, EventManager, memory } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { ajvSchemas } from '@event-manager/schema';
import { eventManagerConformance } from '@event-manager/testing/conformance';

/** `packages/client` runs the same suite over the network: if the two differed, code could not move from one to the other. */
function face(name: string, makeAdapter: (directory: string) => () => EventBusAdapter): void {
  eventManagerConformance({
    name,
    async open() {
      const directory = mkdtempSync(join(tmpdir(), 'event-manager-face-'));
      const adapter = makeAdapter(directory);
      const make = () => new EventManager({ adapter: adapter(), schemas: ajvSchemas() });
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
          rmSync(directory, { recursive: true, force: true });
        },
      };
    },
  });
}

face('embedded in memory', () => {
  const adapter = memory();
  return () => adapter;
});
face('embedded on a journal', (directory) => () => journal({ directory }));
