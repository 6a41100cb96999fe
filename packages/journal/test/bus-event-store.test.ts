import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdapterEventStore, type Clock, systemRuntime } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { busEventStoreConformance } from '@event-manager/testing/conformance';

busEventStoreConformance({
  name: 'journal',
  async open(clock: Clock) {
    const directory = mkdtempSync(join(tmpdir(), 'event-manager-journal-'));
    const make = () => new AdapterEventStore(journal({ directory, runtime: { ...systemRuntime, clock } }));
    let current = make();
    return {
      store: current,
      async reopen() {
        await current.close();
        current = make();
        return current;
      },
      async dispose() {
        await current.close();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
});
