import { memory } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { localQueueConformance } from '@event-manager/testing/conformance';

localQueueConformance({
  name: 'memory',
  supports: memory().supports,
  async open() {
    const time = new VirtualTime();
    const adapter = memory({ runtime: { clock: time } });
    await adapter.open();
    return {
      adapter,
      async reopen() {
        await adapter.close();
        await adapter.open();
        return adapter;
      },
      elapse: (ms) => time.advance(ms),
      jumpWall: (ms) => time.jumpWall(ms),
      dispose: () => adapter.close(),
    };
  },
});
