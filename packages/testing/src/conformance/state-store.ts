import { runModes } from './run-modes.ts';
import { leaseConformance } from './state-store-leases.ts';
import { stateModelConformance } from './state-store-model.ts';
import { recordConformance } from './state-store-records.ts';
import type { ConformanceHarness } from './subject.ts';

/** What every state store promises, as tests. Call it in a test file of the adapter. */
export function stateStoreConformance(harness: ConformanceHarness): void {
  runModes('state store', harness, (start) => {
    recordConformance(start);
    leaseConformance(start);
    stateModelConformance(start);
  });
}
