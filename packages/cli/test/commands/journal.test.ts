import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run, temporaryFolder } from '../support/run.ts';
import { runningService } from '../support/service.ts';

it('checks, shows and repairs a data directory, named or that of the settings', async () => {
  const directory = join(temporaryFolder(), 'data');
  const { em, service } = await runningService(directory);
  await em(['publish', '-', '--quiet'], { stdin: '{"type":"a"}\n'.repeat(20) });
  const used = await run(['journal', 'verify', directory]);
  expect([used.code, used.err]).toEqual([1, expect.stringMatching(/stop it first.*\[store_locked\]/)]);
  await service.stop();

  const environment = { EVENT_MANAGER_DATA_DIR: directory };
  const sound = await run(['journal', 'verify'], { environment });
  expect(sound).toEqual({ code: 0, out: expect.stringMatching(/^undamaged; last position \d+$/m), err: '' });
  const shown = JSON.parse((await run(['journal', 'inspect', '--json'], { environment })).out);
  expect(shown).toMatchObject({ first: 1, head: expect.any(Number), damages: 0 });
  expect((await run(['journal', 'verify'], { environment, isTerminal: true })).err).toMatch(/1 of 1 segments/);
  expect((await run(['journal', 'verify', '--quiet'], { environment, isTerminal: true })).err).toBe('');

  const [segment] = (await readdir(directory)).filter((name) => /^events-.*\.log$/.test(name));
  const file = await open(join(directory, segment!), 'r+');
  await file.write('!', 300);
  await file.close();
  const damaged = await run(['journal', 'verify', directory, '--json']);
  expect([damaged.code, JSON.parse(damaged.out).damages]).toEqual([1, [expect.objectContaining({ file: segment })]]);
  expect((await run(['journal', 'repair', directory])).out).toMatch(/repaired; copies are in /);
  expect((await run(['journal', 'verify', directory])).code).toBe(0);
});

it('says when there is none, and wrong settings when it has to ask them', async () => {
  const directory = temporaryFolder();
  for (const place of [directory, join(directory, 'nothing')]) {
    expect(await run(['journal', 'verify', place])).toEqual({
      code: 4,
      out: '',
      err: `event-manager: There is no journal in ${place}.\n`,
    });
  }
  expect((await run(['journal', 'verify', '--config', '/nowhere.toml'])).code).toBe(2);
  expect((await run(['journal', 'verify', 'a', 'b'])).code).toBe(2);
});
