import { execFile } from 'node:child_process';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { journal } from '@event-manager/journal';
import { expect, it } from 'vitest';
import { sampleEvents } from '../support/sample-event.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--conditions=source', CLI, ...args], (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

it('verifies, names damage by file and offset, repairs with a copy, and shows what is there', async () => {
  const directory = await temporaryDirectory();
  const adapter = journal({ directory, segmentBytesMax: 4096, reserveBytes: 0 });
  await adapter.open();
  for (const event of sampleEvents(40)) await adapter.store.append([event]);
  expect((await run('verify', directory)).err).toContain('store_locked');
  await adapter.close();
  expect(await run('verify', directory)).toMatchObject({ code: 0 });

  const [segment] = (await readdir(directory)).filter((name) => name.startsWith('events-') && name.endsWith('.log'));
  const file = await open(join(directory, segment!), 'r+');
  await file.write('!', 300);
  await file.close();
  const damaged = await run('verify', '--json', directory);
  expect(damaged.code).toBe(1);
  expect(JSON.parse(damaged.out).damages).toMatchObject([{ file: segment, offset: 64, lost: { from: 1, through: 1 } }]);

  expect(await run('repair', directory)).toMatchObject({ code: 0 });
  expect(await readdir(join(directory, 'quarantine'))).toContain(segment);
  expect(await run('verify', directory)).toMatchObject({ code: 0 });
  const shown = JSON.parse((await run('inspect', '--json', directory)).out);
  expect(shown).toMatchObject({ first: 1, head: 40, damages: 0 });
  expect((await run('explode', directory)).code).toBe(2);
});

it('says that a directory holds no journal instead of calling it undamaged, and leaves nothing there', async () => {
  const directory = await temporaryDirectory();
  for (const command of ['verify', 'inspect', 'repair']) {
    expect(await run(command, directory)).toMatchObject({ code: 2, err: `There is no journal in ${directory}.\n` });
  }
  expect(await readdir(directory)).toEqual([]);
});

it('lists the records of the state that damage took, and whether another value of each is left', async () => {
  const directory = await temporaryDirectory();
  const adapter = journal({ directory, reserveBytes: 0 });
  await adapter.open();
  await adapter.state.commit([{ kind: 'topic', key: 'kept', value: { mark: 'first' } }]);
  await adapter.state.commit([
    { kind: 'topic', key: 'kept', value: { mark: 'second' } },
    { kind: 'subscription', key: 'taken', value: { mark: 'third' } },
  ]);
  await adapter.state.commit([{ kind: 'topic', key: 'last', value: {} }]);
  await adapter.close();
  const name = (await readdir(directory)).find((file) => /^state-.*\.log$/.test(file))!;
  const file = await open(join(directory, name), 'r+');
  const bytes = await file.readFile();
  await file.write('X', bytes.indexOf('second'));
  await file.close();

  const repaired = await run('repair', directory);
  expect(repaired).toMatchObject({ code: 0 });
  expect(repaired.out).toContain('topic kept has an older or newer value than the one that is gone\n');
  expect(repaired.out).toContain('subscription taken is gone\n');
  expect(repaired.out).not.toContain('last');
});
