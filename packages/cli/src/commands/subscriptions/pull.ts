import type { EventManager, PulledDelivery } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { CommandFailure } from '../../exit-codes.ts';
import { eventLine } from '../../output/event-lines.ts';
import { Output } from '../../output/output.ts';
import { connect } from '../../service/connect.ts';
import type { PullFlags } from './route.ts';

const SECOND_MS = 1_000;
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export async function pull(this: CliContext, flags: PullFlags, nameOrId: string): Promise<void> {
  const output = new Output(this, flags);
  const { max, wait = 0, ack = false } = flags;
  await using client = await connect(this, flags);
  await this.interruptible(async (signal) => {
    const id = await idOf(client, nameOrId);
    const limits = { waitMs: wait * SECOND_MS, signal, ...(max === undefined ? {} : { max }) };
    const deliveries = await client.pull(id, limits);
    for (const delivery of deliveries) await print(output, delivery);
    if (deliveries.length === 0) output.note('nothing is owed now');
    else if (ack) await acknowledge(output, deliveries);
    else output.note(`not acknowledged: they come again after ${deliveries[0]!.leaseUntil}`);
  });
}

/** What was written is done; a reader that broke off before the end has the rest again. */
async function acknowledge(output: Output, deliveries: readonly PulledDelivery[]): Promise<void> {
  const inTime = await Promise.all(deliveries.map((delivery) => delivery.ack()));
  const late = inTime.filter((isInTime) => !isInTime).length;
  if (late > 0) output.warning(`${late} came too late to be acknowledged and come again`);
}

async function print(output: Output, { delivery, attempt, leaseUntil, event }: PulledDelivery): Promise<void> {
  await output.result({ delivery, attempt, leaseUntil, event }, () => [
    attempt === 1 ? eventLine(event) : `${eventLine(event)}  attempt ${attempt}`,
  ]);
}

async function idOf(client: EventManager, nameOrId: string): Promise<string> {
  if (ID.test(nameOrId)) return nameOrId;
  const found = (await client.listSubscriptions()).find(({ name }) => name === nameOrId);
  if (found) return found.id;
  throw new CommandFailure('notFound', `no subscription has the name ${nameOrId}`);
}
