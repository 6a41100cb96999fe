import type { JsonObject } from '../../json.ts';
import type { ActiveSubscription } from '../active-subscription.ts';
import type { ReceiverChange } from './receiver.ts';

/** What is told under `$sys` of a change, beside the subscription it is about. */
export function receiverFacts({ receiver }: ActiveSubscription, change: ReceiverChange): JsonObject {
  switch (change.what) {
    case 'breaker-opened':
      return { ...told(change.error), failures: receiver?.breaker?.failuresInARow ?? 0 };
    case 'failing':
      return { ...told(change.error), ...failingFacts(receiver) };
    case 'stopped':
      return { ...told(change.reason), ...(change.reason.code === 'failing' ? failingFacts(receiver) : {}) };
    default:
      return {};
  }
}

function told({ code, message }: { readonly code: string; readonly message: string }): JsonObject {
  return { code, reason: message };
}

function failingFacts(receiver: ActiveSubscription['receiver']): JsonObject {
  if (!receiver?.failing.isFailing) return {};
  const { sinceWallMs, forMs, limitMs } = receiver.failing;
  return {
    failingSince: new Date(sinceWallMs).toISOString(),
    failingForMs: Math.round(forMs),
    disableAfterMs: limitMs,
  };
}
