import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { journal } from '@event-manager/journal';
import { afterEach, expect, it } from 'vitest';
import { temporaryDirectory } from './support/temporary-directory.ts';

const HOLDER = fileURLToPath(new URL('./support/hold-journal.ts', import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function holdInAnotherProcess(directory: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--conditions=source', HOLDER, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout!, 'data');
  return child;
}

it('a second process is refused within a second, and let in as soon as the first was killed', async () => {
  const directory = await temporaryDirectory();
  const holder = await holdInAnotherProcess(directory);
  const startedMs = performance.now();
  const second = journal({ directory });
  await expect(second.open()).rejects.toMatchObject({ code: 'store_locked' });
  expect(performance.now() - startedMs).toBeLessThan(1_000);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const third = journal({ directory });
  await third.open();
  // What the killed process was acknowledged is there.
  expect((await third.store.bounds())[0]!.head).toBe(1);
  await third.close();
});
