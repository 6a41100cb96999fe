import type { DeliverOptions, Delivery, Outcome, Sink } from '../contracts/sink.ts';
import { decodeEvent } from '../event/decode-event.ts';
import type { Event } from '../event/event.ts';
import { type HandlerResult, handlerOutcome } from './handler-sink.ts';

/** What is sent instead of an event; nothing for the event as it is stored. */
export type Enrich = (event: Event) => unknown;

/**
 * Sends what `enrich` makes of each event. One that throws has failed, and is tried again as any other. The id stays that of
 * the event, because receivers tell repetitions by it. While nobody enriches, the stored bytes go through untouched.
 */
export function enrichingSink(sink: Sink, enrichOf: () => Enrich | undefined): Sink {
  return {
    get single() {
      return sink.single === true;
    },
    get isUp() {
      return sink.isUp !== false;
    },
    get room() {
      return sink.room ?? Number.POSITIVE_INFINITY;
    },
    get realtime() {
      return sink.realtime;
    },
    watch: (onChange) => sink.watch?.(onChange),
    deliver(batch, options) {
      const enrich = enrichOf();
      return enrich ? deliverEnriched(sink, enrich, batch, options) : sink.deliver(batch, options);
    },
    close: () => sink.close(),
  };
}

async function deliverEnriched(
  sink: Sink,
  enrich: Enrich,
  batch: readonly Delivery[],
  options: DeliverOptions,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const enriched: Delivery[] = [];
  const places: number[] = [];
  for (const [at, delivery] of batch.entries()) {
    const made = await enrichOne(enrich, delivery);
    if ('status' in made) outcomes[at] = made;
    else {
      enriched.push(made);
      places.push(at);
    }
  }
  if (enriched.length === 0) return outcomes;
  const sent = await sink.deliver(enriched, settledAt(options, places));
  for (const [index, outcome] of sent.entries()) outcomes[places[index]!] = outcome;
  return outcomes;
}

/** The delivery with what is sent instead, or what the handler made of it: one that refuses or throws sends nothing. */
async function enrichOne(enrich: Enrich, delivery: Delivery): Promise<Delivery | Outcome> {
  const { record } = delivery;
  try {
    const made = await enrich(decodeEvent(record.body));
    if (typeof made !== 'object' || made === null) return delivery;
    if ((made as { success?: unknown }).success === false) return handlerOutcome(made as HandlerResult);
    const body = Buffer.from(JSON.stringify({ ...made, id: record.id }));
    const { id, place, recordedAtMs, topic, lane, flags } = record;
    return { ...delivery, record: { id, place, recordedAtMs, topic, lane, flags, body } };
  } catch (error) {
    return handlerOutcome({ success: false, error });
  }
}

/** The sink counts the deliveries that it was given; the engine those that it gave. */
function settledAt(options: DeliverOptions, places: readonly number[]): DeliverOptions {
  return {
    get signal() {
      return options.signal;
    },
    get isUnderWay() {
      return options.isUnderWay !== false;
    },
    deadlineAtMs: options.deadlineAtMs,
    settled: (index, outcome) => options.settled?.(places[index]!, outcome),
  };
}
