import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InMemoryAdapter, memory } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { eventBusConformance } from '@event-manager/testing/conformance';

/** `packages/redis` runs the same suite: which adapter a bus has is configuration. */
eventBusConformance({
  name: 'memory',
  supports: memory().supports,
  async open() {
    const adapter = new InMemoryAdapter();
    return { adapter: () => adapter, dispose: async () => {} };
  },
});

const temporary = () => mkdtempSync(join(tmpdir(), 'event-bus-face-'));

eventBusConformance({
  name: 'a journal',
  supports: journal({ directory: tmpdir() }).supports,
  async open() {
    const directory = temporary();
    return {
      adapter: () => journal({ directory }),
      dispose: async () => rmSync(directory, { recursive: true, force: true }),
    };
  },
});

eventBusConformance({
  name: 'memory with a journal beneath',
  supports: journal({ directory: tmpdir() }).supports,
  async open() {
    const dataDir = temporary();
    return {
      adapter: () => new InMemoryAdapter({ persistToDisk: true, dataDir }),
      dispose: async () => rmSync(dataDir, { recursive: true, force: true }),
    };
  },
});
