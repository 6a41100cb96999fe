import {
  ANONYMOUS,
  DEFAULT_LIMITS,
  decodeCursor,
  type EventIn,
  EventManagerError,
  type EventMetadataIn,
  matchesPattern,
  Published,
  type PublishResult,
  parsePattern,
} from '@event-manager/core';
import type { HistoryEntry, SeededChance, VirtualTime } from '@event-manager/testing';
import type { RunWorld, Wanted } from './features/feature.ts';
import { USERS } from './features/relevance.ts';
import type { Plan, SubscriptionPlan } from './plan.ts';
import { digestOf } from './receivers.ts';
import type { SimulatedProcess } from './simulated-process.ts';

const ORDERING_KEYS = ['k1', 'k2', 'k3'];
const TOPICS = ['a/x', 'a/y/x', 'b', 'b/c/d', 'c/x'];
const GIVE_UP_MS = 3_000;

export interface PublisherOptions {
  readonly name: string;
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly chance: SeededChance;
  readonly history: HistoryEntry[];
  readonly note: (what: string) => void;
  /** A process that is up, chosen by chance. */
  readonly anyProcess: () => SimulatedProcess | undefined;
  readonly onAcknowledgedAfterFailure: () => void;
  readonly world: RunWorld;
}

type Drawn = EventIn & { id: string; topic: string };

/** A client that publishes its events one after the other and repeats each, under the same id, until it hears "stored". */
export async function publishAll(options: PublisherOptions): Promise<void> {
  const { plan, time, chance } = options;
  const features = chance.fork('features');
  for (let number = 0; number < plan.eventsPerPublisher; number++) {
    if (plan.pauseMs > 0) await time.wait(chance.integer(plan.pauseMs));
    const drawn = drawEvent(options, number);
    const event: Drawn = Object.assign(drawn, drawMore(options, features, drawn));
    let calls = 1;
    for (; !(await publishOnce(options, event)); calls++) await time.wait(50 + chance.integer(200));
    for (const trait of Object.values(plan.traits)) trait.acknowledged?.(event.id, calls, features, options.world);
  }
}

/**
 * It was delivered before its publisher heard of it, and the log may have let go of it since, with its id: handed in again it
 * would be another event.
 */
function isForgotten({ plan, history }: PublisherOptions, { id }: Drawn): boolean {
  return plan.traits['retention'] !== undefined && history.some((entry) => entry.kind === 'deliver' && entry.id === id);
}

/**
 * An id is remembered as long as its event. Where the log lets go of events sooner than a sleeping process wakes up, what was
 * handed to both would be two events; so nobody gives up on such a process.
 */
async function giveUp({ plan, time }: PublisherOptions, process: SimulatedProcess): Promise<void> {
  await time.wait(GIVE_UP_MS);
  if (plan.traits['retention']) await process.awakes;
}

function drawEvent({ name, chance, plan }: PublisherOptions, number: number): Drawn {
  const bytes = new Uint8Array(16);
  chance.fill(bytes);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  const priority = chance.integer(4) as 0 | 1 | 2 | 3;
  const payload = { number, text: 'x'.repeat(chance.integer(chance.pick([20, 900]))), seed: plan.seed };
  return { id, type: 'simulated', source: name, topic: chance.pick(TOPICS), priority, payload };
}

/** By what ordered subscriptions hold it back, and what the features of the run put beside. */
function drawMore({ plan, world }: PublisherOptions, chance: SeededChance, event: Drawn): Pick<EventIn, 'metadata'> {
  const traits = Object.values(plan.traits);
  const key = chance.happens(0.7) ? { orderingKey: chance.pick(ORDERING_KEYS) } : {};
  const user = chance.happens(0.7) ? { userId: chance.pick(USERS) } : {};
  const metadata: EventMetadataIn = Object.assign(
    {},
    key,
    user,
    ...traits.map((trait) => trait.metadata?.(chance, world)),
  );
  return Object.assign({ metadata }, ...traits.map((trait) => trait.fields?.(chance, event, world)));
}

async function publishOnce(options: PublisherOptions, event: Drawn): Promise<boolean> {
  const { name, plan, history, note, anyProcess } = options;
  if (isForgotten(options, event)) {
    note(`ok ${event.id}, delivered before`);
    history.push({ kind: 'ok', id: event.id });
    return true;
  }
  const process = anyProcess();
  const engine = process?.engine;
  if (!process || !engine) return false;
  const { subscriptions, optional } = isWantedBy(plan, event);
  const keys = { topic: event.topic, key: String(event.metadata?.['orderingKey'] ?? event.topic) };
  const digest = digestOf(event.payload);
  const lane = event.priority as number;
  const isLater = event.deliverAt !== undefined;
  history.push({ kind: 'invoke', client: name, id: event.id, subscriptions, optional, digest, lane, keys, isLater });
  note(`invoke ${event.id} at ${process.name}`);
  const answer = await Promise.race([
    engine.publish(ANONYMOUS, event).catch((error: unknown) => error),
    process.died,
    giveUp(options, process),
  ]);
  if (!isAccepted(answer) || !process.isAlive) {
    if (answer instanceof Error && !(answer instanceof EventManagerError)) throw answer;
    note(`unknown ${event.id} ${answer instanceof EventManagerError ? answer.code : ''}`);
    history.push({ kind: 'unknown', id: event.id });
    return false;
  }
  // Whatever was under way when the store failed: from then on nothing may be acknowledged.
  if (process.adapter.health().status === 'failed') options.onAcknowledgedAfterFailure();
  // Of an event for later nobody knows yet where it will stand.
  const position = answer instanceof Published ? decodeCursor(answer.cursor)[0]!.position : undefined;
  note(`ok ${event.id} ${position}`);
  history.push({ kind: 'ok', id: event.id, ...(position === undefined ? {} : { position }) });
  return true;
}

function isAccepted(answer: unknown): answer is PublishResult {
  return typeof answer === 'object' && answer !== null && 'duplicate' in answer;
}

type Looked = Pick<Drawn, 'topic' | 'priority' | 'metadata'>;

/** Who may get an event at all, and which of them may end without it. */
export function isWantedBy(plan: Plan, event: Looked): { subscriptions: string[]; optional: string[] } {
  const mayGet = plan.subscriptions.filter((subscription) => {
    const isWanted = variantsOf(subscription).some((variant) => wants(variant, event));
    return isWanted && isRelevant(subscription, event, 'sometimes');
  });
  const mayMiss = mayGet.filter((subscription) => isOptional(plan, subscription, event));
  return { subscriptions: mayGet.map(({ name }) => name), optional: mayMiss.map(({ name }) => name) };
}

function isOptional(plan: Plan, subscription: SubscriptionPlan, event: Looked): boolean {
  if (Object.values(plan.traits).some((trait) => trait.isOptional?.(event.metadata))) return true;
  if (!isRelevant(subscription, event, 'always')) return true;
  return !variantsOf(subscription).every((variant) => wants(variant, event));
}

function isRelevant(subscription: SubscriptionPlan, event: Looked, how: 'always' | 'sometimes'): boolean {
  const lists = Object.values(subscription.traits).flatMap(({ relevantTo = [] }) => relevantTo);
  const names = (users: readonly string[]) => users.includes(String(event.metadata?.userId));
  return how === 'always' ? lists.every(names) : lists.length === 0 || lists.some(names);
}

/** What the subscription wants at one time or another. */
function variantsOf(subscription: SubscriptionPlan): readonly Wanted[] {
  return [subscription, ...Object.values(subscription.traits).flatMap(({ variants = [] }) => variants)];
}

function wants(wanted: Wanted, event: Looked): boolean {
  const minimum = wanted.minimumPriority ?? 3;
  const isUrgent = (event.priority as number) <= minimum;
  return isUrgent && matchesPattern(parsePattern(wanted.topic, DEFAULT_LIMITS), event.topic);
}
