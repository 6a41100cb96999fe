import type { PlantedBug } from '@event-manager/core';
import { conservationConformance } from './local-queue-conservation.ts';
import { crashConformance } from './local-queue-crash.ts';
import { keyConformance } from './local-queue-keys.ts';
import { letterConformance } from './local-queue-letters.ts';
import { queueModelConformance } from './local-queue-model.ts';
import { orderConformance } from './local-queue-order.ts';
import { retryConformance } from './local-queue-retries.ts';
import { QueueRig, type StartRig } from './local-queue-rig.ts';
import { windowConformance } from './local-queue-window.ts';
import { runModes } from './run-modes.ts';
import type { ConformanceHarness } from './subject.ts';

export interface LocalQueueConformanceOptions {
  /** Mistakes switched on in the engine, by tests that show that the suite catches them. */
  readonly planted?: readonly PlantedBug[];
}

/**
 * What a subscription is owed, on every adapter: the engine brings the queue, the adapter keeps it. Call it in a test file
 * of the adapter.
 */
export function localQueueConformance(harness: ConformanceHarness, options: LocalQueueConformanceOptions = {}): void {
  const { planted = [] } = options;
  runModes('local queue', harness, (start) => {
    const startRig: StartRig = async (given = {}) => QueueRig.start(await start(), given, planted);
    orderConformance(startRig);
    keyConformance(startRig);
    retryConformance(startRig);
    letterConformance(startRig);
    windowConformance(startRig);
    crashConformance(startRig);
    conservationConformance(harness, startRig);
    queueModelConformance(startRig);
  });
}
