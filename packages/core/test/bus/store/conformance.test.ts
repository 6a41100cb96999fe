import { AdapterEventStore, InMemoryEventStore, memory } from '@event-manager/core';
import { busEventStoreConformance } from '@event-manager/testing/conformance';

busEventStoreConformance({
  name: 'InMemoryEventStore',
  async open(clock) {
    const store = new InMemoryEventStore(10_000, { clock });
    return { store, dispose: () => store.close() };
  },
});

busEventStoreConformance({
  name: 'a memory adapter',
  async open(clock) {
    const adapter = memory({ runtime: { clock } });
    let store = new AdapterEventStore(adapter);
    return {
      store,
      async reopen() {
        await store.close();
        store = new AdapterEventStore(adapter);
        return store;
      },
      dispose: () => store.close(),
    };
  },
});
