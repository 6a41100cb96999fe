import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KeptEvent } from '../../../src/dispatch/kept-event.ts';
import { KeyEntry } from '../../../src/dispatch/order/key-entry.ts';
import { UnreadRanges } from '../../../src/dispatch/order/unread-ranges.ts';

const KEYS = 'abc';

/** A log whose events have the keys of a text, and what memory knows of some keys of it. */
class Log {
  readonly keys: string;
  readonly roomMax: number;
  readonly entries = new Map<string, KeyEntry>();
  readonly unread: UnreadRanges;
  readonly taken = new Map<string, number[]>();

  constructor(keys: string, roomMax: number) {
    this.keys = keys;
    this.roomMax = roomMax;
    this.unread = new UnreadRanges({
      find: (_meaning, key) => this.entries.get(key),
      hasRoom: () => this.known < roomMax,
      isRoomy: () => this.known <= roomMax / 2,
      found: (entry, position) => void entry.known.push(position),
      advance: (entry) => this.unread.note(entry),
    });
  }

  get known(): number {
    return [...this.entries.values()].reduce((sum, { known }) => sum + known.length, 0);
  }

  block(key: string, from: number, through: number): void {
    const entry = new KeyEntry(key, 'topic');
    entry.scanFrom = from;
    entry.through = through;
    this.entries.set(key, entry);
    this.taken.set(key, []);
    this.unread.note(entry);
  }

  /** One chunk of the scan, as `ReadKeys` reads it. */
  scan(records: number): boolean {
    const after = this.unread.wantedAfter;
    if (after === undefined) return false;
    const scannedTo = Math.min(this.keys.length, after + records);
    for (let position = after + 1; position <= scannedTo; position++) this.unread.offer(this.#event(position), after);
    this.unread.scanned(after, scannedTo > after ? scannedTo : this.keys.length, undefined);
    return true;
  }

  take(key: string): void {
    const entry = this.entries.get(key)!;
    if (entry.known.length > 0) this.taken.get(key)!.push(entry.known.shift()!);
    this.unread.note(entry);
  }

  expected(key: string, from: number, through: number): number[] {
    const all = Array.from({ length: through - from + 1 }, (_, at) => from + at);
    return all.filter((position) => this.keys[position - 1] === key);
  }

  #event(position: number): KeptEvent {
    const body = Buffer.from('{}');
    const topic = this.keys[position - 1]!;
    const place = { partition: 0, position };
    return new KeptEvent({ id: String(position), place, recordedAtMs: 0, topic, lane: 2, flags: 0, body });
  }
}

it('finds every event of every range once and in order, whatever memory has room for and however it is taken', () => {
  const range = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 60 }));
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...KEYS), minLength: 120, maxLength: 120 }),
      fc.tuple(range, range, range),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 30 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 5 })),
      (keys, ranges, roomMax, chunk, choices) => {
        const log = new Log(keys, roomMax);
        for (const [at, [from, length]] of ranges.entries()) log.block(KEYS[at]!, from, from + length);
        let idle = 0;
        while (idle < 200) {
          const choice = choices.next().value as number;
          const scanned = choice > 2 && log.scan(chunk);
          if (choice <= 2) log.take(KEYS[choice]!);
          const isOver = [...log.entries.values()].every((entry) => !entry.hasRange);
          if (isOver) break;
          idle = scanned || choice <= 2 ? 0 : idle + 1;
        }
        for (const [at, [from, length]] of ranges.entries()) {
          const key = KEYS[at]!;
          const { known } = log.entries.get(key)!;
          expect([...log.taken.get(key)!, ...known]).toEqual(log.expected(key, from, from + length));
        }
      },
    ),
    { numRuns: 500 },
  );
});
