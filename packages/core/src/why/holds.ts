/** What holds a subscription back as a whole, whatever the event: in the order in which each would have to go. */
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import type { FailedAttempt } from '../dispatch/owed.ts';
import type { Clock } from '../runtime/clock.ts';
import { needsAttaching } from '../subscription/attached.ts';
import type { SubscriptionDefinition } from '../subscription/subscription.ts';
import { calledBy, command, finding, moment } from './finding.ts';
import type { WhyFinding } from './why.ts';

const SECOND_MS = 1_000;

export interface HoldFacts {
  readonly definition: SubscriptionDefinition;
  /** Where it is served here. */
  readonly active: ActiveSubscription | undefined;
  readonly clock: Clock;
  /** The event failed before: it is tried again while no more others may begin. */
  readonly isDebt: boolean;
  /** The process that serves it and does not answer. */
  readonly unheard: string | undefined;
}

export function holds(facts: HoldFacts): WhyFinding[] {
  const { definition, active, unheard } = facts;
  const elsewhere = () => (unheard === undefined ? unserved(definition) : unanswering(unheard));
  const found = [switchedOff(definition), ...(active ? served(facts, active) : [elsewhere()])];
  return found.filter((each) => each !== undefined);
}

function switchedOff(definition: SubscriptionDefinition): WhyFinding | undefined {
  const { state, stoppedReason, updatedAtMs } = definition;
  const resume = command('subscriptions', 'resume', calledBy(definition));
  if (state === 'paused') {
    const words = 'The subscription is paused; what it is owed waits.';
    return finding('paused', words, { since: moment(updatedAtMs) }, { words: 'Resume it.', command: resume });
  }
  if (state !== 'stopped') return undefined;
  const { code = 'unknown', message = '', atMs = updatedAtMs } = stoppedReason ?? {};
  const words = `The subscription was stopped at ${moment(atMs)}: ${message || code}.`;
  const advice = { words: 'Mend the receiver, then resume the subscription.', command: resume };
  return finding('stopped', words, { at: moment(atMs), code, message }, advice);
}

function unserved(definition: SubscriptionDefinition): WhyFinding {
  if (needsAttaching(definition)) return notAttached(definition);
  const words = 'No process serves the subscription at the moment; one takes it over within seconds.';
  return finding('unserved', words, {}, { words: 'Look whether the service is well.', command: command('doctor') });
}

function unanswering(servedBy: string): WhyFinding {
  const words = `The process ${servedBy} serves the subscription and does not answer.`;
  return finding('unserved', words, { servedBy }, { words: 'Look whether it is well.', command: command('doctor') });
}

function notAttached(definition: SubscriptionDefinition): WhyFinding {
  const { sink, name } = definition;
  const what = sink.kind === 'handler' ? 'handler' : 'connection';
  const words = `Nobody is attached: no ${what} takes the deliveries of the subscription.`;
  const advice = {
    words: 'Start the program that subscribes under this name, or give the subscription an endpoint.',
    command: command('subscriptions', 'get', calledBy(definition)),
  };
  return finding('not_attached', words, { kind: sink.kind, name }, advice);
}

function served({ definition, clock, isDebt }: HoldFacts, active: ActiveSubscription): (WhyFinding | undefined)[] {
  return [
    connected(definition, active),
    receiverPause(active, clock),
    breaker(active, clock),
    rate(active, clock),
    isDebt ? undefined : saturated(active),
  ];
}

function connected(definition: SubscriptionDefinition, { sink, width }: ActiveSubscription): WhyFinding | undefined {
  if (width === 0) return notAttached(definition);
  const get = command('subscriptions', 'get', calledBy(definition));
  if (definition.sink.kind === 'pull' && sink.room === 0) {
    const words = 'Nobody asks: the subscription has no endpoint, and its deliveries have to be pulled.';
    const pull = command('subscriptions', 'pull', calledBy(definition), '--wait', '20');
    return finding('not_pulled', words, {}, { words: 'Pull them.', command: pull });
  }
  if (sink.isUp !== false) return undefined;
  if (needsAttaching(definition)) return notAttached(definition);
  const { code, message } = sink.realtime?.lastError ?? {};
  const words = `There is no connection to the receiver${message === undefined ? '' : `: ${message}`}.`;
  return finding('not_connected', words, { code, message }, { words: 'Look at the receiver.', command: get });
}

function receiverPause({ definition, pause }: ActiveSubscription, clock: Clock): WhyFinding | undefined {
  if (pause.room(clock.monotonicMs()) > 0) return undefined;
  const until = wallOf(pause.opensAtMs, clock);
  const words = `The receiver asked for a pause until ${until}.`;
  const advice = {
    words: 'It ends by itself; resuming the subscription ends it now.',
    command: command('subscriptions', 'resume', calledBy(definition)),
  };
  return finding('receiver_paused', words, { until }, advice);
}

function breaker({ definition, receiver, queue }: ActiveSubscription, clock: Clock): WhyFinding | undefined {
  const gate = receiver?.breaker;
  if (!gate || gate.state === 'closed') return undefined;
  const until = Number.isFinite(gate.opensAtMs) ? wallOf(gate.opensAtMs, clock) : undefined;
  const last = lastErrorOf(queue.owed.values());
  const because = last ? ` The last error: ${last.message}` : '';
  const when =
    until === undefined ? 'one delivery tries whether the receiver is there again' : `the next try is at ${until}`;
  const words = `The receiver failed ${gate.failuresInARow} times in a row, so its breaker is open; ${when}.${because}`;
  const advice = {
    words: 'Mend the receiver and try it; resuming the subscription closes the breaker.',
    command: command('subscriptions', 'test', calledBy(definition)),
  };
  const lastError = last && { code: last.code, message: last.message, at: moment(last.atMs) };
  return finding(
    'breaker_open',
    words,
    { until, state: gate.state, failuresInARow: gate.failuresInARow, lastError },
    advice,
  );
}

function lastErrorOf(
  debts: Iterable<{ readonly failedAttempts: readonly FailedAttempt[] }>,
): FailedAttempt | undefined {
  let last: FailedAttempt | undefined;
  for (const { failedAttempts } of debts) {
    const error = failedAttempts.at(-1);
    if (error && (!last || error.atMs > last.atMs)) last = error;
  }
  return last;
}

function rate({ rateLimit, definition }: ActiveSubscription, clock: Clock): WhyFinding | undefined {
  if (!rateLimit || rateLimit.room(clock.monotonicMs()) > 0) return undefined;
  const until = wallOf(rateLimit.opensAtMs, clock);
  const perMinute = definition.options.rateLimitPerMinute;
  const words = `The subscription made its ${perMinute} attempts of the last minute; the next may begin at ${until}.`;
  const advice = {
    words: 'Allow more attempts in a minute, if the receiver can take them.',
    command: command('subscriptions', 'update', calledBy(definition), '{"options":{"rateLimitPerMinute":N}}'),
  };
  return finding('rate_limited', words, { until, perMinute }, advice);
}

function saturated({ definition, queue }: ActiveSubscription): WhyFinding | undefined {
  if (!queue.isSaturated) return undefined;
  const words = `The subscription has ${queue.owed.size} deliveries that wait for a retry; nothing new begins before some of them end.`;
  const advice = { words: 'Mend the receiver.', command: command('subscriptions', 'get', calledBy(definition)) };
  return finding('too_many_debts', words, { owed: queue.owed.size }, advice);
}

/** To the second, which it is not before: the two clocks do not stand still between two looks at them. */
function wallOf(monotonicMs: number, clock: Clock): string {
  const atMs = clock.wallMs() + Math.max(0, monotonicMs - clock.monotonicMs());
  return moment(Math.ceil(atMs / SECOND_MS) * SECOND_MS);
}
