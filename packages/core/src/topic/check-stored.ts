import type { EventStore, Place } from '../contracts/event-store.ts';
import { decodeStoredEvent } from '../event/decode-event.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { PayloadCheck } from './payload-check.ts';
import { incompatible } from './schema-trial.ts';
import type { StoredCheck } from './topic-info.ts';

const EVENTS_MAX = 10_000;
const BUDGET_MS = 2_000;
const READ_AT_ONCE = 100;
/** Whoever asks for a new version can wait; everybody else should not notice. */
const TURN_MS = 10;

/**
 * Holds the stored events of one topic against a check, the newest first, until all were looked at or time or count is used
 * up: what came last says most about what will come. Throws `schema_incompatible` naming the first event that does not fit.
 */
export async function checkStored(parts: {
  readonly store: EventStore;
  readonly runtime: Runtime;
  /** Canonical. */
  readonly topic: string;
  readonly check: PayloadCheck;
}): Promise<StoredCheck> {
  const { store, runtime, topic, check } = parts;
  const { clock, timers } = runtime;
  const deadlineMs = clock.monotonicMs() + BUDGET_MS;
  let turnStartMs = clock.monotonicMs();
  let events = 0;
  let after: Place | undefined;
  do {
    const budgetMs = Math.max(1, deadlineMs - clock.monotonicMs());
    const limit = Math.min(READ_AT_ONCE, EVENTS_MAX - events);
    const continued = after === undefined ? {} : { after };
    const found = await store.find({ topic }, { limit, direction: 'backward', budgetMs, ...continued });
    for (const { id, body } of found.records) {
      const { payload } = decodeStoredEvent(body);
      const violation = await check(payload);
      if (violation) throw incompatible(id, violation);
      events++;
      if (clock.monotonicMs() - turnStartMs < TURN_MS) continue;
      await new Promise<void>((resolve) => timers.soon(resolve));
      turnStartMs = clock.monotonicMs();
    }
    after = found.next;
  } while (after !== undefined && events < EVENTS_MAX && clock.monotonicMs() < deadlineMs);
  return { events, complete: after === undefined };
}
