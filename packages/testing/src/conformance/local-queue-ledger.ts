import { expect } from 'vitest';
import type { QueueRecords, QueueRig, Sent } from './local-queue-rig.ts';

/** Where every acknowledged event stands by what is durable; each stands in exactly one place. */
export interface Ledger {
  readonly waiting: readonly string[];
  readonly owed: readonly string[];
  readonly dead: readonly string[];
  /** Settled, and somebody can say why: delivered, expired, or not wanted. */
  readonly explained: readonly string[];
  /** Settled, and nobody can say why: lost. */
  readonly lost: readonly string[];
  /** A dead letter of what is still a debt: the two were not one commit. */
  readonly deadAndOwed: readonly string[];
}

/** What the records and the receiver say of each other; needs neither the counts nor the memory of any engine. */
export async function readLedger(rig: QueueRig): Promise<Ledger> {
  const records = await rig.records();
  const dead = new Set(records.letters.map(({ eventId }) => eventId));
  const ledger = { waiting: [], owed: [], dead: [], explained: [], lost: [], deadAndOwed: [] } as {
    [place in keyof Ledger]: string[];
  };
  const sent = [...rig.acknowledged.values()];
  const positions = await rig.positionOf(sent.map(({ id }) => id));
  for (const [at, event] of sent.entries()) {
    const isDebt = !isSettled(records, event, positions[at]!);
    if (dead.has(event.id)) ledger[isDebt ? 'deadAndOwed' : 'dead'].push(event.id);
    else if (records.owed.has(positions[at]!)) ledger.owed.push(event.id);
    else if (isDebt) ledger.waiting.push(event.id);
    else ledger[isExplained(rig, event) ? 'explained' : 'lost'].push(event.id);
  }
  return ledger;
}

/** Nothing is lost, nothing stands in two places, and no attempt was made that must not be made. */
export async function expectConserved(rig: QueueRig, inFlightMax: number): Promise<Ledger> {
  const ledger = await readLedger(rig);
  const { receiver, acknowledged } = rig;
  expect({ lost: ledger.lost, deadAndOwed: ledger.deadAndOwed }).toEqual({ lost: [], deadAndOwed: [] });
  expect(Object.values(ledger).flat()).toHaveLength(acknowledged.size);
  expect({ repeated: receiver.repeatedNumbers, uncovered: rig.uncovered }).toEqual({ repeated: [], uncovered: [] });
  for (const [life, ids] of receiver.duplicates) {
    expect(ids.size).toBeLessThanOrEqual(rig.killed.has(life) ? inFlightMax : 0);
  }
  return ledger;
}

function isSettled({ lanes, owed }: QueueRecords, { lane }: Sent, position: number): boolean {
  if (owed.has(position)) return false;
  const { scanned, settled } = lanes[lane]!;
  return position <= scanned || settled.some(([from, through]) => from <= position && position <= through);
}

function isExplained(rig: QueueRig, { id, source, expiresAtMs }: Sent): boolean {
  if (rig.receiver.delivered.has(id) || source === 'unwanted') return true;
  return expiresAtMs !== undefined && expiresAtMs <= rig.time.wallMs();
}
