import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { journal } from '@event-manager/journal';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import { readAll } from './support/read-all.ts';
import { sampleEvent } from './support/sample-event.ts';

const SMALL = { segmentBytesMax: 256 << 10, reserveBytes: 1 << 20 };

/** If the lock itself needed space, a service that was restarted on a full disk could not even be asked what it holds. */
it('opens on a disk without a free byte, serves reads, and takes events again when there is space', async (context) => {
  const mountPoint = mountSmallDisk(context);
  const directory = join(mountPoint, 'data');
  const before = journal({ directory, ...SMALL });
  await before.open();
  await before.store.append([sampleEvent(1)]);
  await before.close();

  const ballast = join(mountPoint, 'ballast');
  fillUp(ballast);
  const full = journal({ directory, ...SMALL });
  await full.open();
  const { records } = await readAll(full.store);
  expect(records.map(({ id }) => id)).toEqual([sampleEvent(1).id]);
  const large = Array.from({ length: 40 }, (_, n) => sampleEvent(100 + n, 8_000));
  await expect(full.store.append(large)).rejects.toMatchObject({ code: 'disk_full' });
  expect(full.health().status).toBe('full');
  await full.close();

  rmSync(ballast);
  const after = journal({ directory, ...SMALL });
  await after.open();
  await expect(after.store.append(large)).resolves.toHaveLength(40);
  await after.close();
});

function fillUp(file: string): void {
  const fd = openSync(file, 'w');
  try {
    for (let bytes = 1 << 16; bytes >= 1; ) {
      try {
        writeSync(fd, Buffer.alloc(bytes));
      } catch {
        bytes = bytes > 1 ? bytes >> 1 : 0;
      }
    }
  } finally {
    closeSync(fd);
  }
}

function mountSmallDisk(context: TestContext): string {
  const mountPoint = mkdtempSync(join(tmpdir(), 'event-manager-small-'));
  onTestFinished(() => rmSync(mountPoint, { recursive: true }));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mountPoint], { stdio: 'ignore' });
  } catch {
    const reason = 'mounting a small file system needs root';
    if (process.env['CI']) expect.fail(`The test of a full disk must run in CI: ${reason}.`);
    context.skip(reason);
  }
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', mountPoint]);
  });
  return mountPoint;
}
