import { describe, expect, it } from 'vitest';
import { KeyEntry } from '../../../src/dispatch/order/key-entry.ts';
import { keyRecordFromJson, keyRecordToJson } from '../../../src/dispatch/order/key-record.ts';

const RECORD = { key: 'a', meaning: 'topic', from: 10, through: 100, count: 50, tried: 0 };

/** What is suspect of an entry when its positions are taken one after the other. */
function suspectsOf(entry: KeyEntry, known: readonly number[]): number[] {
  const suspects = known.filter((position) => {
    entry.known = [position];
    return entry.isNextSuspect;
  });
  entry.known = [];
  return suspects;
}

describe('what may have been attempted before a crash', () => {
  it('is what came last, and not the range before it', () => {
    const entry = KeyEntry.fromRecord(RECORD, 200);
    for (const position of [120, 130]) {
      entry.suspect(position);
      entry.append(position, false);
    }
    entry.append(150, false);
    expect(suspectsOf(entry, [10, 100, 120, 130, 150])).toEqual([120, 130]);
  });

  it('is the same after one more crash, which the record tells, and few ranges however many crashes there are', () => {
    let entry = KeyEntry.fromRecord(RECORD, 100_000);
    for (let crash = 1; crash <= 100; crash++) {
      entry.suspect(1_000 * crash);
      entry.append(1_000 * crash, false);
      entry.append(1_000 * crash + 500, false);
      entry = KeyEntry.fromRecord(keyRecordFromJson(keyRecordToJson(entry.record(false))), 200_000);
    }
    expect(suspectsOf(entry, [10, 100, 1_000, 1_500, 7_000, 7_500])).toEqual([1_000, 7_000]);
    expect(entry.record(false).suspects).toHaveLength(8);
    expect(suspectsOf(entry, [50_000, 99_000, 100_000])).toEqual([50_000, 99_000, 100_000]);
  });

  it('is all of a range that was reserved to its end, and what came behind it', () => {
    const entry = KeyEntry.fromRecord({ ...RECORD, tried: 100 }, 200);
    entry.suspect(120);
    entry.append(120, false);
    expect(suspectsOf(entry, [10, 100, 120])).toEqual([10, 100, 120]);
    expect(entry.record(false)).not.toHaveProperty('suspects');
  });

  it('ends with the log: new events stand where lost ones stood, and what is missing then was lost', () => {
    const entry = KeyEntry.fromRecord({ ...RECORD, suspects: [[20, 30] as const, [90, 100] as const] }, 50);
    expect([entry.through, entry.hasLost]).toEqual([50, true]);
    expect(suspectsOf(entry, [25, 95])).toEqual([25]);
    expect(KeyEntry.fromRecord(RECORD, 100).hasLost).toBe(false);
  });
});
