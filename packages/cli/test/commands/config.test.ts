import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SETTINGS } from '@event-manager/server';
import { expect, it } from 'vitest';
import { SERVE_FLAGS } from '../../src/commands/serve/route.ts';
import { run, temporaryFolder } from '../support/run.ts';

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

it('has the flags that the service has: a new one stands in serve/route.ts, too', () => {
  const ofService = Object.values(SETTINGS).flatMap((row) => ('flag' in row && row.flag ? [row.flag] : []));
  expect(Object.keys(SERVE_FLAGS).map(kebab).sort()).toEqual(ofService.sort());
});

it('says whether the service would start, and what has no effect', async () => {
  expect(await run(['config', 'check'])).toEqual({
    code: 0,
    out: 'The service would start with these settings.\n',
    err: '',
  });
  const environment = { REDIS_URL: 'redis://x' };
  const warned = await run(['config', 'check', '--json'], { environment });
  expect(JSON.parse(warned.out)).toEqual({ valid: true, warnings: [expect.stringMatching(/redisUrl \(REDIS_URL\)/)] });
  const wrong = await run(['config', 'check', '--json'], { environment: { EVENT_MANAGER_PORT: 'x' } });
  expect([wrong.code, wrong.out]).toEqual([2, '']);
  expect(JSON.parse(wrong.err)).toMatchObject({
    error: { code: 'invalid_setting', setting: 'port', from: 'EVENT_MANAGER_PORT' },
  });
  const elsewhere = { EVENT_MANAGER_DATABASE_URL: 'postgresql://x', EVENT_MANAGER_ADAPTER: 'journal' };
  const refused = await run(['config', 'check'], { environment: elsewhere });
  expect([refused.code, refused.err]).toEqual([2, expect.stringMatching(/contradicts adapter.*\[invalid_setting\]/)]);
});

it('tells every mistake of every source, and the warnings, in one go', async () => {
  const file = join(temporaryFolder(), 'settings.toml');
  writeFileSync(file, 'prt = 1\n[limits]\nevent_bytes_max = "many"\nbody_bytes_max = 1000\n');
  const environment = { EVENT_MANAGER_COLOUR: 'red', EVENT_MANAGER_LOG_LEVEL: 'loud', REDIS_URL: 'redis://x' };
  const args = ['config', 'check', '--config', file, '--port', 'x', '--host', '0.0.0.0'];
  const told = await run(args, { environment });
  expect([told.code, told.out]).toEqual([2, '']);
  const lines = told.err.trim().split('\n');
  expect(lines[0]).toMatch(/^warning: The setting redisUrl/);
  const wrong = ['EVENT_MANAGER_COLOUR', 'prt', 'port', 'logLevel', 'limits.eventBytesMax', 'host'];
  for (const name of wrong) expect(told.err).toMatch(new RegExp(`^event-manager: The setting ${name} .*\\]$`, 'm'));
  const asJson = await run([...args, '--json'], { environment });
  const errors = asJson.err
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).error.setting);
  expect(errors).toEqual(expect.arrayContaining(wrong));
});

it('prints every value with its source and what it beat, and a secret only when it is asked for that', async () => {
  const file = join(temporaryFolder(), 'settings.toml');
  writeFileSync(file, 'port = 1\n[queue]\nmax_size = 7\n');
  const environment = {
    EVENT_MANAGER_PORT: '2',
    EVENT_MANAGER_DATABASE_URL: 'postgres://somebody:hidden@database/events',
    EVENT_MANAGER_REDIS_URL: 'redis://:hidden@own',
    REDIS_URL: 'redis://:hidden@shared',
    AAS_WEBHOOK_URL: 'https://aas/hidden',
  };
  const args = ['config', 'print', '--config', file, '--port', '3'];
  const printed = JSON.parse((await run([...args, '--json'], { environment })).out);
  expect(printed.port).toEqual({
    value: 3,
    source: 'command line',
    from: '--port',
    used: true,
    beats: [
      { from: 'EVENT_MANAGER_PORT', value: '2' },
      { from: file, value: 1 },
    ],
  });
  expect(printed['limits.queueMaxSize']).toMatchObject({ value: 7, source: 'file', from: file });
  expect(printed.redisUrl).toEqual({
    value: '***',
    source: 'environment',
    from: 'EVENT_MANAGER_REDIS_URL',
    used: true,
    beats: [{ from: 'REDIS_URL', value: '***' }],
  });
  expect(printed.host).toMatchObject({ value: '127.0.0.1', source: 'default', from: '' });
  expect(printed).not.toHaveProperty('vectorStoreUrl');

  expect(JSON.stringify(printed)).not.toContain('hidden');
  const flagged = await run([...args, '--database-url', 'postgres://somebody:hidden@flag/events', '--all'], {
    environment,
  });
  expect(flagged.out).toMatch(/databaseUrl +\*\*\* +--database-url/);
  expect(flagged.out).not.toContain('hidden');

  const people = await run(args, { environment });
  expect(people.out).not.toContain('hidden');
  expect(people.out).toMatch(
    /^SETTING +VALUE +SOURCE +BEATS\nport +3 +--port +EVENT_MANAGER_PORT, \S+settings\.toml\n/,
  );
  expect(people.out).toMatch(/redisUrl +\*\*\* +EVENT_MANAGER_REDIS_URL +REDIS_URL/);
  expect(people.out).toMatch(/aasWebhookUrl +\*\*\* \(not used by this version\) +AAS_WEBHOOK_URL/);
  const shown = await run([...args, '--show-secrets'], { environment });
  expect(shown.out).toContain('redis://:hidden@own');
  expect(shown.out).toContain('postgres://somebody:hidden@database/events');
  expect((await run([...args, '--all'], { environment })).out).toMatch(/^vectorStoreUrl/m);
});
