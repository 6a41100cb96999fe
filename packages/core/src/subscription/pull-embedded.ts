import { decodeEvent } from '../event/decode-event.ts';
import type { Event } from '../event/event.ts';
import type { Principal } from '../principal.ts';
import { type LeaseAnswers, type PulledDelivery, type PullOptions, pulledDelivery } from './pulled-delivery.ts';
import type { Pulls } from './pulls.ts';

/** Pulls from the engine of this process. Throws what `Pulls.pull` throws. */
export async function pullEmbedded(
  pulls: Pulls,
  principal: Principal,
  id: string,
  { signal, ...input }: PullOptions,
): Promise<readonly PulledDelivery[]> {
  const answers: LeaseAnswers = {
    async ack(delivery) {
      const { stale } = await pulls.ack(principal, id, { deliveries: [delivery] });
      return stale.length === 0;
    },
    async nack(delivery, options) {
      const { stale } = await pulls.nack(principal, id, { ...options, deliveries: [delivery] });
      return stale.length === 0;
    },
    async extend(delivery) {
      const { stale, leaseUntilMs } = await pulls.extend(principal, id, { deliveries: [delivery] });
      return stale.length === 0 ? momentOf(leaseUntilMs) : undefined;
    },
  };
  const leases = await pulls.pull(principal, id, input, signal);
  return leases.map(({ token, attempt, replay, leaseUntilMs, record }) => {
    const event: Event = decodeEvent(record.body);
    const leased = {
      delivery: token,
      attempt,
      ...(replay ? { replay } : {}),
      leaseUntil: momentOf(leaseUntilMs),
      event,
    };
    return pulledDelivery(leased, answers);
  });
}

function momentOf(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
