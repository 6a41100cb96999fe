import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import type { Attempt } from '../dispatch/deliver.ts';
import type { KeptEvent } from '../dispatch/kept-event.ts';
import type { KeyEntry } from '../dispatch/order/key-entry.ts';
import { keyReader } from '../dispatch/order/ordering-key.ts';
import { isSettledAhead } from '../dispatch/order/settled-ahead.ts';
import type { Owed } from '../dispatch/owed.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Standing } from './standing.ts';

/** When an attempt began is told to the second: the two clocks do not stand still between two looks at them. */
const SECOND_MS = 1_000;

/** Where an event stands in the queue of a subscription that is served here. */
export function liveStanding(
  subscription: ActiveSubscription,
  kept: KeptEvent,
  routedHead: number,
  clock: Clock,
): Standing {
  const { queue } = subscription;
  const { position, lane } = kept;
  const owed = queue.owed.get(position);
  const attempt = attemptOf(subscription, position);
  if (attempt) return underWay(subscription, attempt, position, clock);
  if (owed) return owing(owed);
  const entry = keyOf(subscription, kept);
  if (entry) return behind(entry, position);
  const standing = queue.standingOf(lane, position);
  if (standing.at === 'settled' && position <= routedHead) return { at: 'settled' };
  const inFront = inFrontOf(subscription, kept);
  if (inFront) return behind(inFront, position);
  return standing.at === 'waiting' ? { at: 'waiting', before: standing.before } : { at: 'waiting' };
}

export function owing({ attempt, failures, round, dueWallMs, suspect, failedAttempts }: Owed): Standing {
  return { at: 'owed', attempt, failures, round, dueAtMs: dueWallMs, isSuspect: suspect, errors: failedAttempts };
}

function attemptOf({ attempts, starting }: ActiveSubscription, position: number): Attempt | undefined {
  for (const attempt of [...starting, ...attempts]) {
    if (attempt.state !== 'running') continue;
    const isIn = attempt.batch.some(({ claimed }, at) => claimed.position === position && !attempt.settledAt(at));
    if (isIn) return attempt;
  }
  return undefined;
}

function underWay(
  { definition, queue }: ActiveSubscription,
  { batch, deadlineAtMs }: Attempt,
  position: number,
  clock: Clock,
): Standing {
  const { attempt } = batch.find((delivery) => delivery.claimed.position === position)!.claimed;
  const errors = queue.owed.get(position)?.failedAttempts ?? [];
  // Without a deadline it has not begun: its number is on its way into the store.
  if (deadlineAtMs === 0) return { at: 'under-way', attempt, errors };
  const agoMs = clock.monotonicMs() - (deadlineAtMs - definition.options.timeoutMs);
  return { at: 'under-way', attempt, sinceMs: Math.floor((clock.wallMs() - agoMs) / SECOND_MS) * SECOND_MS, errors };
}

/** The key behind whose events it waits, also as keys were meant before. */
function keyOf({ queue }: ActiveSubscription, kept: KeptEvent): KeyEntry | undefined {
  for (const entry of queue.keys?.entries() ?? []) {
    if (entry.held.includes(kept.position)) return entry;
    const { from, through, ahead } = entry;
    if (!entry.owesRange || kept.position < from || kept.position > through) continue;
    if (ahead && isSettledAhead(ahead, kept.lane, kept.position)) continue;
    if (keyReader(entry.meaning)(kept) === entry.key) return entry;
  }
  return undefined;
}

/** The key that nobody has looked at it for yet, where something of that goes before it. */
function inFrontOf({ queue }: ActiveSubscription, kept: KeptEvent): KeyEntry | undefined {
  const { keys } = queue;
  const entry = keys?.keyOf && keys.find(keys.keyOf(kept));
  return entry && (entry.parked || entry.owed || entry.owesRange || entry.head > 0) ? entry : undefined;
}

function behind(entry: KeyEntry, position: number): Standing {
  const { key, parked, owed, head, taken, held, known } = entry;
  const before = [...held, ...known].filter((other) => other < position).length;
  const first = owed?.position ?? (head || taken || undefined);
  return { at: 'key', key, before, ...(parked ? { parked } : {}), ...(first === undefined ? {} : { head: first }) };
}
