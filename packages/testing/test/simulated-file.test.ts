import { describe, expect, it } from 'vitest';
import { SeededChance } from '../src/seeded-chance.ts';
import { type PendingSync, SimulatedFile } from '../src/simulated-file.ts';

const FILE_BYTES_MAX = 4096;

interface Version {
  readonly value: number;
  readonly writtenAt: number;
}

/** Every byte with all the values it may have after a crash, oldest first; a byte never written is zero. */
class Possibilities {
  readonly #versions: Version[][] = Array.from({ length: FILE_BYTES_MAX }, () => [{ value: 0, writtenAt: 0 }]);
  now = 0;

  write(bytes: Uint8Array, at: number): void {
    this.now++;
    for (const [i, value] of bytes.entries()) this.#versions[at + i]!.push({ value, writtenAt: this.now });
  }

  /** Nothing older than what was there at `time` can come back. */
  makeDurable(time: number): void {
    for (const versions of this.#versions) {
      const newest = versions.findLastIndex(({ writtenAt }) => writtenAt <= time);
      versions.splice(0, newest);
    }
  }

  allows(at: number, value: number): boolean {
    return this.#versions[at]!.some((version) => version.value === value);
  }

  isSettled(at: number): boolean {
    return this.#versions[at]!.length === 1;
  }
}

describe('SimulatedFile', () => {
  it('after a crash holds nothing but what may be there, whatever writes and syncs overlapped', () => {
    let settled = 0;
    let open = 0;
    for (let seed = 0; seed < 300; seed++) {
      const chance = new SeededChance(seed);
      const { file, possible, durableSize } = runFor(60, chance);
      const sizeBefore = file.size;
      file.crash(chance, 'chance');
      const content = file.contents();
      expect(content.length).toBeGreaterThanOrEqual(durableSize);
      expect(content.length).toBeLessThanOrEqual(sizeBefore);
      for (const [at, value] of content.entries()) {
        if (!possible.allows(at, value)) throw new RangeError(`Seed ${seed}: byte ${at} cannot be ${value}.`);
        if (possible.isSettled(at)) settled++;
        else open++;
      }
    }
    // Otherwise the loop above would have proven little.
    expect(settled).toBeGreaterThan(10_000);
    expect(open).toBeGreaterThan(10_000);
  });

  it('is wholly durable, or wholly as before, when that is asked for', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { file, durableSize } = runFor(40, new SeededChance(seed));
      const before = file.contents();
      file.crash(new SeededChance(seed), 'keep-all');
      expect(file.contents()).toEqual(before);
      const other = runFor(40, new SeededChance(seed));
      other.file.crash(new SeededChance(seed), 'lose-all');
      expect(other.file.size).toBe(durableSize);
    }
  });

  it('has nothing at risk after a sync that nothing overlapped, and starts over after a crash', () => {
    const { file, syncs } = runFor(50, new SeededChance(3));
    for (const { sync } of syncs) file.completeSync(sync);
    file.completeSync(file.beginSync());
    expect(file.sectorsAtRisk).toBe(0);
    const content = file.contents();
    file.crash(new SeededChance(4), 'chance');
    expect(file.contents()).toEqual(content);
  });
});

/** Random writes, with syncs that begin, overlap and end in any order. */
function runFor(steps: number, chance: SeededChance) {
  const file = new SimulatedFile();
  const possible = new Possibilities();
  const syncs: { sync: PendingSync; time: number }[] = [];
  let durableSize = 0;
  for (let step = 0; step < steps; step++) {
    const dice = chance.integer(10);
    if (dice < 6) {
      const bytes = new Uint8Array(1 + chance.integer(700));
      chance.fill(bytes);
      const at = chance.integer(FILE_BYTES_MAX - bytes.length);
      file.write(bytes, at);
      possible.write(bytes, at);
    } else if (dice < 8) {
      syncs.push({ sync: file.beginSync(), time: possible.now });
    } else if (syncs.length > 0) {
      const [{ sync, time }] = syncs.splice(chance.integer(syncs.length), 1) as [{ sync: PendingSync; time: number }];
      file.completeSync(sync);
      possible.makeDurable(time);
      durableSize = Math.max(durableSize, sync.size);
    }
  }
  return { file, possible, syncs, durableSize };
}
