import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventManager } from '@event-manager/core';
import type { Configuration } from '@event-manager/server';
import { eventManagerConformance } from '@event-manager/testing/conformance';
import { EventManagerClient } from '../src/index.ts';
import { runService } from './support/run-service.ts';

/** Against the real service: what a service means is not for a stand-in to say. */
function face(name: string, settings: (dataDir: string) => Partial<Configuration>): void {
  eventManagerConformance({
    name,
    async open() {
      const dataDir = mkdtempSync(join(tmpdir(), 'event-manager-client-'));
      const service = await runService(settings(dataDir));
      let events: EventManager = new EventManagerClient(service.url);
      return {
        events,
        async reopen() {
          await events.close();
          events = new EventManagerClient(service.url);
          return events;
        },
        async dispose() {
          await events.close();
          await service.stop();
          rmSync(dataDir, { recursive: true, force: true });
        },
      };
    },
  });
}

face('client of a service in memory', () => ({}));
face('client of a service on a journal', (dataDir) => ({ adapter: 'journal', dataDir }));
