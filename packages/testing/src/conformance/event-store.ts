import { appendConformance } from './event-store-append.ts';
import { findConformance } from './event-store-find.ts';
import { modelConformance } from './event-store-model.ts';
import { readConformance } from './event-store-read.ts';
import { sizeConformance } from './event-store-size.ts';
import { trimConformance } from './event-store-trim.ts';
import { lifeConformance } from './life.ts';
import { runModes } from './run-modes.ts';
import type { ConformanceHarness } from './subject.ts';

/** What every event store promises, as tests. Call it in a test file of the adapter. */
export function eventStoreConformance(harness: ConformanceHarness): void {
  runModes('event store', harness, (start) => {
    appendConformance(harness, start);
    readConformance(start);
    findConformance(harness, start);
    trimConformance(harness, start);
    sizeConformance(harness, start);
    lifeConformance(harness, start);
    modelConformance(harness, start);
  });
}
