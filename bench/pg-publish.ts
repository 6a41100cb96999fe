import { randomUUID } from 'node:crypto';
import { EventManager } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { BareInserts } from './bare-inserts.ts';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { inFlight } from './in-flight.ts';
import { alternate } from './rounds.ts';
import { sampleAppendable, sampleEvent } from './sample-events.ts';
import { percentile } from './statistics.ts';
import { withPostgres } from './with-postgres.ts';

const WINDOW = 512;
const RATIO_MIN = 0.7;
const READY = 4_096;

/** Embedded `publish` on PostgreSQL, resolved after the commit, against the same rows by bare inserts into the same schema. */
export function pgPublish(bench: Bench): Promise<Measured> {
  return withPostgres(bench, async (url) => {
    const count = sized(bench, { full: 60_000, quick: 20_000, smoke: 600 });
    const bus = new EventManager({ adapter: postgres({ url }) });
    const bare = await BareInserts.open(url);
    const events = Array.from({ length: READY }, (_, index) => sampleEvent(index));
    const ready = Array.from({ length: READY }, (_, index) => sampleAppendable(index, READY, Date.now()));
    let latenciesMs: Float64Array = new Float64Array(0);
    const compared = await alternate(
      bench,
      async () => {
        const publish = (index: number) => bus.publish({ ...events[index % READY]!, id: randomUUID() });
        const run = await inFlight({ count, window: WINDOW, call: publish });
        latenciesMs = run.latenciesMs;
        return run.perSecond;
      },
      async () => {
        const insert = (index: number) => bare.insert({ ...ready[index % READY]!, id: randomUUID() });
        return (await inFlight({ count, window: WINDOW, call: insert })).perSecond;
      },
    );
    await bus.close();
    await bare.close();
    return {
      ...compared,
      unit: 'events/s',
      p50: percentile(latenciesMs, 0.5),
      p99: percentile(latenciesMs, 0.99),
      ok: compared.ratio >= RATIO_MIN,
      note: `${WINDOW} in flight, random ids; limit: bare unnest inserts of the same rows; p50 and p99 in ms, last round`,
    };
  });
}
