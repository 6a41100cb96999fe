import { decodeCursor, type EventBusAdapter, type JsonObject } from '@event-manager/core';
import type { KeptReset } from './lives.ts';

/** A reset as the audit of its subscription has it. */
export interface AuditedReset extends KeptReset {
  readonly note: string | undefined;
  readonly atMs: number;
}

/** What became durable of the resets of a subscription, in order. Throws when the audit and the progress disagree. */
export async function keptResets(
  { state }: Pick<EventBusAdapter, 'state'>,
  subscriptionId: string,
): Promise<readonly AuditedReset[]> {
  const [audit] = await state.get('audit', [`reset/${subscriptionId}`]);
  const [progress] = await state.get('progress', [`${subscriptionId}/0`]);
  const kept = ((audit?.value as JsonObject | undefined)?.['resets'] ?? []) as JsonObject[];
  const counted = (progress?.value as JsonObject | undefined)?.['resets'] ?? 0;
  if (counted !== kept.length) {
    throw new RangeError(`C2 ${subscriptionId} counts ${String(counted)} resets, and its audit has ${kept.length}`);
  }
  return kept.map(({ to, firstRound, note, atMs }) => ({
    to: decodeCursor(String(to))[0]!.position,
    firstRound: firstRound as number,
    note: note as string | undefined,
    atMs: atMs as number,
  }));
}
