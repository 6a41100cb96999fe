import type { PulledDelivery } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { eventLine } from '../../output/event-lines.ts';
import { Output } from '../../output/output.ts';
import { connect } from '../../service/connect.ts';
import type { PullFlags } from './route.ts';

const SECOND_MS = 1_000;

export async function pull(this: CliContext, flags: PullFlags, id: string): Promise<void> {
  const output = new Output(this, flags);
  const { max, wait = 0, ack = false } = flags;
  await using client = await connect(this, flags);
  await this.interruptible(async (signal) => {
    const limits = { waitMs: wait * SECOND_MS, signal, ...(max === undefined ? {} : { max }) };
    const deliveries = await client.pull(id, limits);
    for (const delivery of deliveries) await print(output, delivery);
    if (deliveries.length === 0) output.note('nothing is owed now');
    else if (ack) await acknowledge(output, deliveries, signal);
    else output.note(`not acknowledged: they come again after ${deliveries[0]!.leaseUntil}`);
  });
}

/** What was read is done; of what a reader broke off before the end nobody knows, and all of it comes again. */
async function acknowledge(output: Output, deliveries: readonly PulledDelivery[], signal: AbortSignal): Promise<void> {
  if (!(await output.taken()) || signal.aborted) return;
  const inTime = await Promise.all(deliveries.map((delivery) => delivery.ack()));
  const late = inTime.filter((isInTime) => !isInTime).length;
  if (late > 0) output.warning(`${late} came too late to be acknowledged and come again`);
}

async function print(output: Output, { delivery, attempt, leaseUntil, event }: PulledDelivery): Promise<void> {
  await output.result({ delivery, attempt, leaseUntil, event }, () => [
    attempt === 1 ? eventLine(event) : `${eventLine(event)}  attempt ${attempt}`,
  ]);
}
