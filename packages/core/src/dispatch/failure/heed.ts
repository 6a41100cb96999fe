/**
 * What an outcome says of the receiver as a whole, beside what it says of the delivery: the one place from which breaker,
 * pauses and the time of failing hear.
 */
import type { AttemptError, Outcome } from '../../contracts/sink.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ActiveSubscription } from '../active-subscription.ts';
import type { ClaimedDelivery } from '../claim.ts';
import type { Receiver, ReceiverChange } from './receiver.ts';

export interface HeedContext {
  readonly clock: Clock;
  onReceiver(subscription: ActiveSubscription, change: ReceiverChange): void;
}

/** One outcome and who is concerned. */
interface Heard {
  readonly subscription: ActiveSubscription;
  readonly receiver: Receiver;
  readonly delivery: ClaimedDelivery;
  /** Its place in the batch. A batch that fails is one failure of its receiver: only the first of it counts. */
  readonly ordinal: number;
  readonly context: HeedContext;
}

const BUSY: AttemptError = { code: 'busy', message: 'The receiver asked for a pause.' };

/**
 * Called before the delivery is settled. Returns true when a failure costs no retry: the probe of a breaker did not reach
 * the receiver, which says nothing of the event.
 */
export function heed(heard: Heard, outcome: Outcome): boolean {
  switch (outcome.status) {
    case 'delivered':
    case 'reject':
      hearAnswer(heard);
      return false;
    case 'retry':
      return hearFailure(heard, outcome);
    case 'busy':
      heedRelease(heard);
      if (heard.ordinal === 0) hearPause(heard, outcome.error ?? BUSY);
      return false;
    default:
      heedRelease(heard);
      return false;
  }
}

/** A delivery came back without an answer. */
export function heedRelease({ receiver, delivery, context }: Omit<Heard, 'ordinal' | 'subscription'>): void {
  receiver.breaker?.released(delivery, context.clock.monotonicMs());
}

function hearAnswer({ subscription, receiver, delivery, context }: Heard): void {
  receiver.pausesInARow = 0;
  if (receiver.failing.isFailing) {
    receiver.failing.end();
    subscription.queue.receiver = undefined;
  }
  if (receiver.breaker?.answered(delivery)) context.onReceiver(subscription, { what: 'breaker-closed' });
}

function hearFailure(heard: Heard, { error, unreached }: Extract<Outcome, { status: 'retry' }>): boolean {
  const { subscription, receiver, delivery, ordinal, context } = heard;
  const isSpared = unreached === true && receiver.breaker?.isProbe(delivery) === true;
  if (ordinal > 0) return isSpared;
  if (receiver.breaker?.failed(delivery, context.clock.monotonicMs())) {
    context.onReceiver(subscription, { what: 'breaker-opened', error });
  }
  measure(heard, error);
  return isSpared;
}

function hearPause(heard: Heard, error: AttemptError): void {
  const { subscription, receiver, context } = heard;
  // Those that were under way together are told the same; only who comes after the pause is told once more.
  if (subscription.pause.room(context.clock.monotonicMs()) > 0) {
    receiver.pausesInARow++;
    context.onReceiver(subscription, { what: 'paused' });
  }
  measure(heard, error);
}

/** A receiver that does nothing but ask for pauses takes nothing either. */
function measure({ subscription, receiver, context }: Heard, error: AttemptError): void {
  const { failing } = receiver;
  const wallMs = context.clock.wallMs();
  const over = failing.failed(context.clock.monotonicMs(), wallMs);
  subscription.queue.receiver = failing.toJson();
  if (over === 'half') context.onReceiver(subscription, { what: 'failing', error });
  if (over !== 'all') return;
  const message = `Nothing but failures for ${Math.round(failing.forMs / 1_000)} s; the last: ${error.message}`;
  context.onReceiver(subscription, { what: 'stopped', reason: { code: 'failing', message, atMs: wallMs } });
}
