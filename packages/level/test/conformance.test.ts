import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LevelDBEventStore } from '@event-manager/level';
import { busEventStoreConformance } from '@event-manager/testing/conformance';

busEventStoreConformance({
  name: 'LevelDB',
  async open(clock) {
    const folder = mkdtempSync(join(tmpdir(), 'event-manager-level-'));
    let current = new LevelDBEventStore(folder, { clock });
    return {
      store: current,
      async reopen() {
        await current.close();
        current = new LevelDBEventStore(folder, { clock });
        return current;
      },
      async dispose() {
        await current.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
});
