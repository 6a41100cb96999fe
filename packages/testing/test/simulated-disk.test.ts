import { describe, expect, it } from 'vitest';
import { SeededChance } from '../src/seeded-chance.ts';
import { SimulatedDisk } from '../src/simulated-disk.ts';
import { VirtualTime } from '../src/virtual-time.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (disk: SimulatedDisk, path: string) => new TextDecoder().decode(disk.contents(path));

/** A file with durable name and the given durable content, open for writing. */
async function durableFile(disk: SimulatedDisk, path: string, content: Uint8Array) {
  await disk.makeDir('/d');
  const file = await disk.open(path, 'create');
  await file.write(content, 0);
  await file.sync();
  await disk.syncDir('/d');
  return file;
}

async function stateOf(work: Promise<unknown>): Promise<string> {
  const pending = new Promise((resolve) => setImmediate(resolve, 'pending'));
  return Promise.race([
    work.then(
      () => 'resolved',
      () => 'rejected',
    ),
    pending,
  ]) as Promise<string>;
}

describe('SimulatedDisk: files', () => {
  it('reads what was written, with zeros in gaps and fewer bytes at the end', async () => {
    const disk = new SimulatedDisk();
    await disk.makeDir('/d');
    const file = await disk.open('/d/f', 'create');
    await file.write(bytes('abc'), 2000);
    const into = new Uint8Array(10).fill(9);
    expect(await file.read(into, 1998)).toBe(5);
    expect([...into]).toEqual([0, 0, 97, 98, 99, 9, 9, 9, 9, 9]);
    expect(await file.read(into, 5000)).toBe(0);
    await file.truncate(2001);
    expect(await file.size()).toBe(2001);
    await file.truncate(2003);
    expect([...disk.contents('/d/f').slice(2000)]).toEqual([97, 0, 0]);
  });

  it('fails with the codes of Node', async () => {
    const disk = new SimulatedDisk();
    await disk.makeDir('/d');
    const file = await disk.open('/d/f', 'create');
    await expect(disk.open('/d/f', 'create')).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(disk.open('/d/none', 'write')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(disk.open('/none/f', 'create')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(disk.remove('/d/none')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(disk.rename('/d/none', '/d/x')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(disk.list('/none')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect((await disk.open('/d/f', 'read')).write(bytes('x'), 0)).rejects.toMatchObject({ code: 'EBADF' });
    await file.close();
    await expect(file.size()).rejects.toMatchObject({ code: 'EBADF' });
  });

  it('lists, renames over and removes names; an open file outlives its name', async () => {
    const disk = new SimulatedDisk();
    await disk.makeDir('/d/sub/');
    const a = await disk.open('/d/a', 'create');
    await a.write(bytes('A'), 0);
    await disk.open('/d/b', 'create');
    await disk.open('/d/sub/c', 'create');
    expect(await disk.list('/d')).toEqual(['a', 'b']);
    await disk.rename('/d/a', '/d/b');
    expect(await disk.list('/d/')).toEqual(['b']);
    expect(textOf(disk, '/d/b')).toBe('A');
    await disk.remove('/d/b');
    expect(await a.size()).toBe(1);
  });

  it('gives a lock to one process at a time', async () => {
    const disk = new SimulatedDisk();
    const other = disk.mount();
    await disk.makeDir('/d');
    const release = await disk.lock('/d/lock');
    expect(await other.lock('/d/lock')).toBeUndefined();
    await release?.();
    expect(await other.lock('/d/lock')).toBeTypeOf('function');
    expect(await disk.lock('/d/lock')).toBeUndefined();
    other.kill();
    expect(await disk.lock('/d/lock')).toBeTypeOf('function');
  });

  it('takes virtual time when it has timers', async () => {
    const time = new VirtualTime();
    const disk = new SimulatedDisk({ timers: time, chance: new SeededChance(5) });
    const startMs = time.monotonicMs();
    await time.run(durableFile(disk, '/d/f', bytes('x')));
    expect(time.monotonicMs()).toBeGreaterThan(startMs);
  });
});

describe('SimulatedDisk: crash', () => {
  it('loses data that was not synced, and nothing that was', async () => {
    const disk = new SimulatedDisk();
    const file = await durableFile(disk, '/d/f', bytes('durable'));
    await file.write(bytes('lost?'), 7);
    await file.write(bytes('D'), 0);
    expect(disk.sectorsAtRisk).toBe(1);
    disk.crash('lose-all');
    expect(textOf(disk, '/d/f')).toBe('durable');
    expect(disk.sectorsAtRisk).toBe(0);
  });

  it('keeps synced bytes whatever chance says, and over many seeds loses, keeps and tears the rest', async () => {
    const ends = { kept: 0, lost: 0, torn: 0, shorter: 0 };
    for (let seed = 0; seed < 300; seed++) {
      const disk = new SimulatedDisk({ chance: new SeededChance(seed) });
      const file = await durableFile(disk, '/d/f', new Uint8Array(2048).fill(1));
      await file.write(new Uint8Array(2048).fill(2), 1024);
      disk.crash();
      const content = disk.contents('/d/f');
      expect([...content.slice(0, 1024)].every((byte) => byte === 1)).toBe(true);
      expect(content.length).toBeGreaterThanOrEqual(2048);
      expect(content.length).toBeLessThanOrEqual(3072);
      if (content.length < 3072) ends.shorter++;
      const sector = [...content.slice(1024, 1536)];
      if (sector.every((byte) => byte === 2)) ends.kept++;
      else if (sector.every((byte) => byte === 1)) ends.lost++;
      else {
        ends.torn++;
        expect(sector.indexOf(1)).toBeGreaterThan(0);
        expect(sector.lastIndexOf(2)).toBe(sector.indexOf(1) - 1);
      }
    }
    for (const count of Object.values(ends)) expect(count).toBeGreaterThan(30);
  });

  it('decides for each sector alone', async () => {
    const patterns = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const disk = new SimulatedDisk({ chance: new SeededChance(seed) });
      const file = await durableFile(disk, '/d/f', new Uint8Array(1536).fill(1));
      await file.write(new Uint8Array(1536).fill(2), 0);
      disk.crash();
      const content = disk.contents('/d/f');
      patterns.add([0, 512, 1024].map((at) => content[at]).join(''));
    }
    expect(patterns.size).toBe(8);
  });

  it('does not count a sync that was not answered yet, nor data written while it was under way', async () => {
    const time = new VirtualTime();
    const disk = new SimulatedDisk({ timers: time });
    const file = await time.run(durableFile(disk, '/d/f', bytes('old')));
    await time.run(file.write(bytes('new'), 0));
    const sync = file.sync();
    await time.run(file.write(bytes('NEWER'), 0));
    await time.run(sync);
    disk.crash('lose-all');
    expect(textOf(disk, '/d/f')).toBe('new');

    const again = await time.run(disk.open('/d/f', 'write'));
    await time.run(again.write(bytes('two'), 0));
    const unanswered = again.sync();
    disk.crash('lose-all');
    await time.runUntilIdle();
    expect(await stateOf(unanswered)).toBe('pending');
    expect(textOf(disk, '/d/f')).toBe('new');
  });

  it('may undo a truncation that was not synced, whole', async () => {
    const disk = new SimulatedDisk();
    const file = await durableFile(disk, '/d/f', new Uint8Array(1500).fill(7));
    await file.truncate(100);
    disk.crash('lose-all');
    expect(disk.contents('/d/f')).toEqual(new Uint8Array(1500).fill(7));
    const sizes = new Set<number>();
    for (let seed = 0; seed < 50; seed++) {
      const other = new SimulatedDisk({ chance: new SeededChance(seed) });
      await (await durableFile(other, '/d/f', new Uint8Array(1500).fill(7))).truncate(100);
      other.crash();
      const content = other.contents('/d/f');
      expect([...content].every((byte) => byte === 7)).toBe(true);
      sizes.add(content.length);
    }
    expect([...sizes].sort()).toEqual([100, 1500]);
  });

  it('may lose created, renamed and removed names until the folder is synced, each alone', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const disk = new SimulatedDisk({ chance: new SeededChance(seed) });
      await durableFile(disk, '/d/old', bytes('old'));
      await durableFile(disk, '/d/tmp', bytes('tmp'));
      await disk.open('/d/new', 'create');
      await disk.rename('/d/tmp', '/d/final');
      await disk.remove('/d/old');
      disk.crash();
      const names = await disk.list('/d');
      expect(names.includes('tmp')).toBe(!names.includes('final'));
      outcomes.add(names.join());
    }
    expect(outcomes.size).toBe(8);
  });

  it('keeps names once the folder is synced', async () => {
    const disk = new SimulatedDisk();
    await durableFile(disk, '/d/tmp', bytes('content'));
    await disk.rename('/d/tmp', '/d/final');
    await disk.syncDir('/d');
    disk.crash('lose-all');
    expect(disk.paths()).toEqual(['/d/final']);
    expect(textOf(disk, '/d/final')).toBe('content');
  });

  it('loses a synced file whose name was never synced', async () => {
    const disk = new SimulatedDisk();
    await disk.makeDir('/d');
    const file = await disk.open('/d/f', 'create');
    await file.write(bytes('x'), 0);
    await file.sync();
    disk.crash('lose-all');
    expect(disk.paths()).toEqual([]);
  });

  it('never answers the dead: old handles and mounts, locks free, while kill alone loses nothing', async () => {
    const disk = new SimulatedDisk();
    const process = disk.mount();
    await process.makeDir('/d');
    const file = await process.open('/d/f', 'create');
    await process.lock('/d/lock');
    await file.write(bytes('cached'), 0);
    disk.kill();
    expect(await stateOf(file.write(bytes('zombie'), 0))).toBe('pending');
    expect(await stateOf(process.open('/d/f', 'write'))).toBe('pending');
    expect(textOf(disk, '/d/f')).toBe('cached');
    expect(await disk.lock('/d/lock')).toBeTypeOf('function');
  });

  it('gives the same end for the same seed', async () => {
    const run = async () => {
      const disk = new SimulatedDisk({ chance: new SeededChance(11), shortWriteShare: 0.5 });
      const file = await durableFile(disk, '/d/f', new Uint8Array(3000).fill(1));
      for (let i = 0; i < 20; i++) await file.write(new Uint8Array(700).fill(i + 2), i * 300);
      disk.crash();
      return disk.contents('/d/f');
    };
    expect(await run()).toEqual(await run());
  });
});

describe('SimulatedDisk: faults', () => {
  it('loses what a failed sync was to write although the next sync says OK', async () => {
    const disk = new SimulatedDisk();
    const file = await durableFile(disk, '/d/f', new Uint8Array(1024).fill(1));
    await file.write(new Uint8Array(1024).fill(2), 0);
    disk.failSync('/d/f');
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' });
    expect(disk.contents('/d/f')[0]).toBe(2);
    await file.write(new Uint8Array(512).fill(3), 512);
    await file.sync();
    disk.crash('keep-all');
    expect([disk.contents('/d/f')[0], disk.contents('/d/f')[512]]).toEqual([1, 3]);
  });

  it('fails so often as ordered, only where the pattern matches', async () => {
    const disk = new SimulatedDisk();
    const file = await durableFile(disk, '/d/seg-1', bytes('x'));
    const other = await durableFile(disk, '/d/other', bytes('x'));
    disk.failSync(/seg-\d/, 2);
    await other.sync();
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' });
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' });
    await file.sync();
    disk.fail({ operation: 'read', path: '/d/other', code: 'EIO' });
    await expect(other.read(new Uint8Array(1), 0)).rejects.toMatchObject({ code: 'EIO' });
    expect(await other.read(new Uint8Array(1), 0)).toBe(1);
  });

  it('writes short and then refuses when full, and goes on when there is room', async () => {
    const disk = new SimulatedDisk();
    const file = await durableFile(disk, '/d/f', new Uint8Array(100));
    disk.fill(10);
    expect(await disk.freeBytes('/d')).toBe(10);
    expect(await file.write(new Uint8Array(50), 100)).toBe(10);
    await expect(file.write(new Uint8Array(50), 110)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await file.write(new Uint8Array(50), 0)).toBe(50);
    await file.truncate(60);
    expect(await file.write(new Uint8Array(50), 60)).toBe(50);
    disk.fill(Number.POSITIVE_INFINITY);
    expect(await file.write(new Uint8Array(5000), 110)).toBe(5000);
  });

  it('writes short by chance, never nothing', async () => {
    const disk = new SimulatedDisk({ shortWriteShare: 0.5 });
    const file = await durableFile(disk, '/d/f', bytes(''));
    const taken = new Set<number>();
    for (let i = 0; i < 100; i++) taken.add(await file.write(new Uint8Array(1000), 0));
    expect(taken.size).toBeGreaterThan(20);
    expect(Math.min(...taken)).toBeGreaterThan(0);
    expect(Math.max(...taken)).toBe(1000);
  });

  it('flips one bit for good', async () => {
    const disk = new SimulatedDisk();
    const file = await durableFile(disk, '/d/f', new Uint8Array(4));
    await file.write(bytes('unsynced'), 4);
    disk.flipBit('/d/f', 17);
    disk.crash('lose-all');
    expect([...disk.contents('/d/f')]).toEqual([0, 0, 2, 0]);
    expect(() => disk.flipBit('/d/f', 32)).toThrow(RangeError);
  });

  it('plants files durably and shows operations to an observer, which may crash it', async () => {
    const seen: string[] = [];
    const disk: SimulatedDisk = new SimulatedDisk({
      onOperation: (operation, path) => {
        seen.push(`${operation} ${path}`);
        if (operation === 'remove') disk.crash('lose-all');
      },
    });
    disk.plant('/x/f', bytes('planted'));
    await disk.open('/x/f', 'read');
    expect(await stateOf(disk.remove('/x/f'))).toBe('pending');
    expect(textOf(disk, '/x/f')).toBe('planted');
    expect(seen).toEqual(['open /x/f', 'remove /x/f']);
  });
});
