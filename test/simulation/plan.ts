import type { SeededChance } from '@event-manager/testing';
import type { RunTrait, Trait } from './features/feature.ts';
import { FEATURES, RUN_FEATURES } from './features/features.ts';

/** What one seed means: drawn first and at once, so that a plan can be printed and understood without the run. */
export interface Plan {
  readonly seed: number;
  readonly world: 'journal' | 'shared';
  /** Simulated processes that share the store; the journal has one. */
  readonly engines: number;
  readonly subscriptions: readonly SubscriptionPlan[];
  readonly publishers: number;
  readonly eventsPerPublisher: number;
  /** Longest pause of a publisher between two events, virtual milliseconds. */
  readonly pauseMs: number;
  /** A process is ended when it passes this failpoint for the n-th time. */
  readonly crashAt: readonly { readonly failpoint: string; readonly hit: number }[];
  /** Further processes end at these virtual milliseconds. */
  readonly crashAfterMs: readonly number[];
  /** Share of the journal's crashes that are power losses instead of killed processes. */
  readonly powerLossShare: number;
  readonly faults: readonly FaultPlan[];
  readonly limits: {
    readonly laneEntriesMax: number;
    readonly queueMaxSize: number;
    readonly owedMax: number;
    readonly inFlightMax: number;
  };
  /** Features that concern the run as a whole, by name. */
  readonly traits: Readonly<Record<string, RunTrait>>;
}

export interface SubscriptionPlan {
  readonly name: string;
  readonly topic: string;
  readonly via: 'webhook' | 'handler' | 'socket' | 'pull';
  readonly minimumPriority: number | undefined;
  readonly batchSize: number;
  readonly maxConcurrency: number;
  readonly maxRetries: number;
  readonly timeoutMs: number;
  /** Shares of what the receiver does. The rest is success. */
  readonly fails: number;
  readonly hangs: number;
  readonly answersLate: number;
  readonly busy: number;
  readonly rejects: number;
  /** Features that the seed switched on for it, by name. */
  readonly traits: Readonly<Record<string, Trait>>;
}

export interface FaultPlan {
  readonly afterMs: number;
  readonly kind: 'sync-fails' | 'disk-full' | 'clock-jump' | 'trim' | 'read-fails';
  /** Duration of a full disk, or the jump, in milliseconds. */
  readonly amountMs: number;
}

const HOUR_MS = 3_600_000;

export function drawPlan(seed: number, chance: SeededChance, failpoints: readonly string[]): Plan {
  const plan = drawBase(seed, chance, failpoints);
  const subscriptions = plan.subscriptions.map((subscription) => {
    const draw = (name: string) => chance.fork(`${name} of ${subscription.name}`);
    const traits = drawTraits(FEATURES, (name, feature) => feature(draw(name), subscription, plan));
    const via = Object.values(traits).find((trait) => trait.via)?.via ?? subscription.via;
    return { ...subscription, via, traits };
  });
  const traits = drawTraits(RUN_FEATURES, (name, feature) => feature(chance.fork(name), { ...plan, subscriptions }));
  return { ...plan, subscriptions, traits };
}

/** In the order of their names in the table: a feature sees nothing of the others, so that each can be read alone. */
function drawTraits<F, T>(
  features: Readonly<Record<string, F>>,
  draw: (name: string, feature: F) => T | undefined,
): Record<string, T> {
  const traits: Record<string, T> = {};
  for (const [name, feature] of Object.entries(features)) {
    const trait = draw(name, feature);
    if (trait !== undefined) traits[name] = trait;
  }
  return traits;
}

function drawBase(seed: number, chance: SeededChance, failpoints: readonly string[]): Plan {
  // Aimed at first, so that the least travelled steps are crashed as often as the others.
  const offTheWay = failpoints.filter(isOffTheWay).flatMap((name) => [name, name, name]);
  const targets = [...failpoints, ...failpoints.filter(isSeldom), ...offTheWay];
  // In turn, so that a thousand seeds aim at each as often as at any other.
  const target = targets[seed % targets.length]!;
  const second = targets[(seed * 7) % targets.length]!;
  const world = target.startsWith('journal.') || chance.happens(0.3) ? 'journal' : 'shared';
  const isCalm = chance.happens(0.1);
  const inFlightMax = chance.pick([1, 4, 32]);
  const way = isCalm ? CALM : wayTo(target, world, chance);
  return {
    seed,
    world,
    engines: world === 'journal' ? 1 : 1 + chance.integer(5),
    subscriptions: Array.from({ length: 1 + chance.integer(4) }, (_, at) =>
      drawSubscription(at, chance, isCalm, inFlightMax),
    ),
    publishers: 1 + chance.integer(3),
    eventsPerPublisher: 4 + chance.integer(24),
    pauseMs: chance.pick([0, 5, 50, 400]),
    crashAt: isCalm ? [] : [...way.crashAt, aimAt(target, chance), aimAt(second, chance)],
    crashAfterMs: way.crashAfterMs,
    powerLossShare: target.includes('.copy-aside.') ? 1 : chance.pick([0, 0.5, 1]),
    faults: way.faults,
    limits: {
      laneEntriesMax: chance.pick([4, 16, 1_000]),
      queueMaxSize: chance.pick([4, 64, 1_024]),
      owedMax: chance.pick([8, 1_000]),
      inFlightMax,
    },
    traits: {},
  };
}

/** Steps that only a full disk, retention, recovery or a torn tail lead to. */
function isOffTheWay(failpoint: string): boolean {
  return /\.(cut|trim\.remove|copy-aside|recover)\.|\.state\.create\./.test(failpoint);
}

function aimAt(failpoint: string, chance: SeededChance): Plan['crashAt'][number] {
  return { failpoint, hit: 1 + chance.integer(chance.pick(isSeldom(failpoint) ? [1, 1, 2] : [1, 1, 1, 4, 20])) };
}

/** Steps that a run passes a few times at the most. */
function isSeldom(failpoint: string): boolean {
  return /^(schedule|retention|reset)\./.test(failpoint);
}

type Way = Pick<Plan, 'crashAfterMs' | 'crashAt' | 'faults'>;
const CALM: Way = { crashAfterMs: [], crashAt: [], faults: [] };

/** Crashes and faults; some steps are only reached after others: recovery after a crash, a cut after a full disk. */
function wayTo(target: string, world: Plan['world'], chance: SeededChance): Way {
  const crashes = target.includes('.recover.') ? 2 + chance.integer(4) : chance.integer(4);
  const crashAfterMs = Array.from({ length: crashes }, () => chance.integer(chance.pick([300, 6_000])));
  const faults = Array.from({ length: chance.integer(3) }, () => drawFault(world, chance));
  if (target.includes('.trim.')) {
    for (const afterMs of [300, 1_000, 2_000, 4_000]) faults.push({ afterMs, kind: 'trim', amountMs: 0 });
  }
  if (target.includes('.cut.')) {
    for (const afterMs of [50, 400, 1_500]) faults.push({ afterMs, kind: 'disk-full', amountMs: 300 });
  }
  // Between a write and its sync is where a power loss leaves a torn tail.
  const crashAt = target.includes('.copy-aside.')
    ? [2, 5, 9].map((hit) => ({ failpoint: 'journal.log.sync.before', hit }))
    : [];
  return { crashAfterMs, crashAt, faults };
}

function drawSubscription(at: number, chance: SeededChance, isCalm: boolean, inFlightMax: number): SubscriptionPlan {
  const trouble = isCalm ? 0 : chance.pick([0, 0.05, 0.3]);
  return {
    name: `subscription-${at}`,
    topic: chance.pick(['#', 'a.*', 'a/+', '*.x', 'b/#']),
    via: chance.happens(0.7) ? 'webhook' : 'handler',
    minimumPriority: chance.happens(0.2) ? chance.integer(4) : undefined,
    batchSize: Math.min(inFlightMax, chance.pick([1, 1, 3])),
    maxConcurrency: chance.pick([1, 2, 8]),
    maxRetries: chance.pick([0, 2, 4]),
    timeoutMs: chance.pick([1_000, 5_000]),
    fails: trouble,
    hangs: trouble / 5,
    answersLate: trouble / 5,
    busy: trouble / 5,
    rejects: trouble / 10,
    traits: {},
  };
}

function drawFault(world: Plan['world'], chance: SeededChance): FaultPlan {
  const kinds = ['sync-fails', 'disk-full', 'clock-jump', 'trim', 'trim', 'read-fails'] as const;
  const kind = world === 'journal' ? chance.pick(kinds) : 'clock-jump';
  const amountMs = kind === 'clock-jump' ? chance.pick([-24, -1, 1, 24]) * HOUR_MS : 200 + chance.integer(2_000);
  return { afterMs: chance.integer(6_000), kind, amountMs };
}
