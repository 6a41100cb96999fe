/**
 * The bus's own events, under `$sys/…`. They are stored and owed like any other, so they can be subscribed to and found; `#`
 * does not match them, they are never owed to the subscription they are about, and nothing is told about their delivery.
 *
 * At most one per kind and subject a minute. What happens meanwhile is counted and told when the minute is over:
 *
 *     untold ──told──▶ quiet ──told again──▶ quiet, with something to tell ──minute over, or the store takes events again──▶ quiet
 *                        └──minute over──▶ untold
 *
 * Nothing here waits or fails: an event about trouble must not add to it. One that the store does not take now (a full disk)
 * is told later; those of a process that ends before that are lost, which is why trouble of the store is also in health.
 */
import { isEventManagerError } from '../errors/event-manager-error.ts';
import { ABOUT_THE_BUS } from '../event/flags.ts';
import type { PriorityName } from '../event/priority.ts';
import type { Ingest } from '../ingest/ingest.ts';
import type { JsonObject } from '../json.ts';
import { SYSTEM } from '../principal.ts';
import type { Clock } from '../runtime/clock.ts';
import { callAsBus } from '../sink/handler-calls.ts';

const QUIET_MS = 60_000;
/** Subjects with a minute running. Beyond it nothing is told, only counted: so much trouble is seen elsewhere. */
const SUBJECTS_MAX = 10_000;

/** Every kind, with the urgency of its event. The topic is `$sys/` and the kind, the type `system.` and the kind with dots. */
export const SYSTEM_EVENTS = Object.freeze({
  'subscription/stalled': 'HIGH',
  'subscription/saturated': 'HIGH',
  'subscription/recovered': 'NORMAL',
  'subscription/stopped': 'HIGH',
  'subscription/overflowed': 'NORMAL',
  'subscription/caught-up': 'NORMAL',
  'subscription/fallback-began': 'HIGH',
  'subscription/fallback-ended': 'NORMAL',
  'subscription/unreachable': 'HIGH',
  'subscription/reachable': 'NORMAL',
  'subscription/breaker-opened': 'HIGH',
  'subscription/breaker-closed': 'NORMAL',
  'subscription/failing': 'HIGH',
  'subscription/disabled': 'HIGH',
  'subscription/key-parked': 'HIGH',
  'subscription/reset': 'HIGH',
  'run/started': 'NORMAL',
  'run/paused': 'NORMAL',
  'run/resumed': 'NORMAL',
  'run/ended': 'NORMAL',
  'dead-letter/created': 'HIGH',
  'scheduled/refused': 'HIGH',
  'subscription/debt-removed': 'HIGH',
  'store/read-only': 'CRITICAL',
  'store/full': 'CRITICAL',
  'store/recovered': 'NORMAL',
  'store/impaired': 'HIGH',
  'store/unimpaired': 'NORMAL',
  'store/damaged': 'CRITICAL',
  'service/started': 'NORMAL',
  'service/stopping': 'NORMAL',
} as const satisfies Record<string, PriorityName>);

export type SystemEventKind = keyof typeof SYSTEM_EVENTS;

interface Subject {
  readonly kind: SystemEventKind;
  readonly name: string;
  toldAtMs: number;
  /** The latest facts that were not told, and how often there were any. */
  facts: JsonObject | undefined;
  count: number;
}

export class SystemEvents {
  published = 0;
  suppressed = 0;
  failed = 0;
  readonly #ingest: Ingest;
  readonly #clock: Clock;
  readonly #enabled: boolean;
  readonly #subjects = new Map<string, Subject>();

  constructor(options: { ingest: Ingest; clock: Clock; enabled: boolean }) {
    this.#ingest = options.ingest;
    this.#clock = options.clock;
    this.#enabled = options.enabled;
  }

  /** `subject` is what the event is about: for a subscription its id, and then it is never owed to that. */
  tell(kind: SystemEventKind, subject: string, facts: JsonObject): void {
    if (!this.#enabled) return;
    const key = `${kind} ${subject}`;
    const known = this.#subjects.get(key);
    if (known) {
      known.facts = facts;
      known.count++;
      this.suppressed++;
      return;
    }
    if (this.#subjects.size >= SUBJECTS_MAX) {
      this.suppressed++;
      return;
    }
    const entry: Subject = { kind, name: subject, toldAtMs: 0, facts, count: 1 };
    this.#subjects.set(key, entry);
    this.#publish(entry);
  }

  /** Tells what waited for its minute or for the store, and forgets what has been quiet. Called every now and then. */
  flush(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, subject] of this.#subjects) {
      if (nowMs - subject.toldAtMs < QUIET_MS) continue;
      if (subject.facts) this.#publish(subject);
      else this.#subjects.delete(key);
    }
  }

  #publish(subject: Subject): void {
    const { kind, name, facts, count } = subject;
    subject.toldAtMs = this.#clock.monotonicMs();
    subject.facts = undefined;
    subject.count = 0;
    const event = {
      type: `system.${kind.replaceAll('/', '.')}`,
      source: 'event-manager',
      topic: `$sys/${kind}`,
      priority: SYSTEM_EVENTS[kind],
      metadata: { about: name },
      payload: { ...facts, count },
    };
    // The bus waits for nobody's handler: whoever tells may be one.
    callAsBus(() =>
      this.#ingest.publish(SYSTEM, event, { flags: ABOUT_THE_BUS }).then(
        () => {
          this.published++;
        },
        (error: unknown) => this.#refused(subject, facts, count, error),
      ),
    );
  }

  /** It is told with the next flush, unless there is something newer to tell by then. */
  #refused(subject: Subject, facts: JsonObject | undefined, count: number, error: unknown): void {
    this.failed++;
    if (!isEventManagerError(error) || !error.retryable) return;
    subject.toldAtMs = Number.NEGATIVE_INFINITY;
    subject.facts ??= facts;
    subject.count += count;
  }
}
