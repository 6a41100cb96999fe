import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type EventIn, EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { inFlight } from './in-flight.ts';
import { RawLog } from './raw-log.ts';
import { alternate } from './rounds.ts';
import { sampleAppendable, sampleEvent } from './sample-events.ts';
import { percentile } from './statistics.ts';

const WINDOW = 512;
const RATIO_MIN = 0.6;
/** Events made before the clock runs: enough that they do not all sit in the first cache. */
const READY = 4_096;

/** Embedded `publish`, resolved after the sync, against the same bytes written and synced raw. */
export async function appendDurable(bench: Bench): Promise<Measured> {
  const count = sized(bench, { full: 400_000, quick: 100_000, smoke: 600 });
  const bus = new EventManager({ adapter: journal({ directory: join(bench.folder, 'journal') }) });
  const raw = await RawLog.create(join(bench.folder, 'raw'));
  const events = Array.from({ length: READY }, (_, index) => sampleEvent(index));
  const encoded = Array.from({ length: READY }, (_, index) => sampleAppendable(index, READY, Date.now()).body);
  let latenciesMs: Float64Array = new Float64Array(0);
  const compared = await alternate(
    bench,
    async () => {
      const run = await inFlight({ count, window: WINDOW, call: (index) => publishAgain(bus, events[index % READY]!) });
      latenciesMs = run.latenciesMs;
      return run.perSecond;
    },
    async () => {
      const run = await inFlight({ count, window: WINDOW, call: (index) => raw.append(encoded[index % READY]!) });
      return run.perSecond;
    },
  );
  await bus.close();
  await raw.close();
  return {
    ...compared,
    unit: 'events/s',
    p50: percentile(latenciesMs, 0.5),
    p99: percentile(latenciesMs, 0.99),
    ok: compared.ratio >= RATIO_MIN,
    note: `${WINDOW} in flight, random ids; limit append.raw: the same bytes by write and fdatasync; p50 and p99 in ms, last round`,
  };
}

function publishAgain(bus: EventManager, event: EventIn): Promise<unknown> {
  return bus.publish({ ...event, id: randomUUID() });
}
