import { memory } from '@event-manager/core';
import { movesConformance } from '@event-manager/testing/conformance';

movesConformance({
  name: 'memory',
  async place() {
    // What a memory adapter holds is in the object itself.
    const adapter = memory();
    return { adapter: () => adapter, dispose: async () => {} };
  },
});
