import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestKeys, missingServer } from '@event-manager/testing/servers';

/** The surroundings of one bus: what its environment says, and what is left of it afterwards. */
export interface BusSurroundings extends AsyncDisposable {
  readonly variables: Readonly<Record<string, string>>;
}

/** Every adapter that a bus can be switched to. A line more is all that another one needs. */
export const BUS_SURROUNDINGS: Readonly<Record<string, () => Promise<BusSurroundings | { readonly missing: string }>>> =
  {
    memory: async () => ({ variables: {}, [Symbol.asyncDispose]: async () => {} }),
    'memory on disk': () => inFolder({ EVENT_BUS_MEMORY_PERSIST: 'true' }),
    journal: () => inFolder({ EVENT_BUS_ADAPTER: 'journal' }),
    redis: async () => {
      const missing = await missingServer('redis');
      if (missing !== undefined) return { missing };
      const keys = await createTestKeys();
      return {
        variables: {
          EVENT_BUS_ADAPTER: 'redis',
          REDIS_URL: keys.url,
          EVENT_BUS_REDIS_KEY_PREFIX: keys.keyPrefix,
        },
        [Symbol.asyncDispose]: () => keys.remove(),
      };
    },
  };

async function inFolder(variables: Readonly<Record<string, string>>): Promise<BusSurroundings> {
  const directory = mkdtempSync(join(tmpdir(), 'event-bus-'));
  return {
    variables: { ...variables, EVENT_BUS_DATA_DIR: directory },
    [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true, force: true }),
  };
}
