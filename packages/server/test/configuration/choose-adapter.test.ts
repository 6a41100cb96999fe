import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isEventManagerError } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { namesakes, settleConfiguration } from '../../src/configuration/index.ts';

const URL_OF_OURS = 'postgresql://user:hidden-word@db.internal:6543/events';
const OURS = { EVENT_MANAGER_DATABASE_URL: URL_OF_OURS };

function settle(environment: Readonly<Record<string, string>>, args: readonly string[] = []) {
  return settleConfiguration({ args, environment, homeDirectory: '/home/somebody' });
}

/** The message of the refusal. */
function refusal(environment: Readonly<Record<string, string>>, args: readonly string[] = []): string {
  try {
    settle(environment, args);
  } catch (error) {
    if (isEventManagerError(error, 'invalid_setting')) return `${error.message}${JSON.stringify(error.details)}`;
    throw error;
  }
  return expect.fail('It was accepted.');
}

it('keeps events in the database whose address is given, whoever gives it', () => {
  for (const environment of [OURS, { DATABASE_URL: URL_OF_OURS }]) {
    const { configuration, settings, warnings } = settle(environment);
    expect(configuration).toMatchObject({
      adapter: 'postgres',
      databaseUrl: URL_OF_OURS,
      databaseMaxConnections: 20,
      databaseQueryTimeoutMs: 5_000,
      databaseSchema: 'public',
      databaseDurability: 'synced',
    });
    expect(settings.get('adapter')).toMatchObject({ value: 'postgres', from: Object.keys(environment)[0] });
    expect(warnings).toEqual([]);
  }
  expect(settle({}, ['--database-url', URL_OF_OURS]).configuration.adapter).toBe('postgres');
  expect(settle({}).configuration.adapter).toBe('journal');
});

it('takes the address of our own before the one that other programs share, and says so', () => {
  const settled = settle({ ...OURS, DATABASE_URL: 'postgres://other/none' });
  expect(settled.configuration.databaseUrl).toBe(URL_OF_OURS);
  expect(namesakes(settled)).toEqual(['databaseUrl: EVENT_MANAGER_DATABASE_URL won over DATABASE_URL']);
});

it('takes the settings of a database from a file, by the names of the specification', () => {
  const directory = mkdtempSync(join(tmpdir(), 'event-manager-settings-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'settings.toml');
  const lines = ['[database]', `url = "${URL_OF_OURS}"`, 'maxConnections = 7', 'queryTimeout = 700', 'schema = "bus"'];
  writeFileSync(path, [...lines, 'durability = "relaxed"'].join('\n'));
  expect(settle({ EVENT_MANAGER_CONFIG: path }).configuration).toMatchObject({
    adapter: 'postgres',
    databaseMaxConnections: 7,
    databaseQueryTimeoutMs: 700,
    databaseSchema: 'bus',
    databaseDurability: 'relaxed',
  });
});

it('refuses an address of our own beside another adapter, and only warns of one that others share', () => {
  expect(refusal(OURS, ['--adapter', 'memory'])).toMatch(
    /databaseUrl \(EVENT_MANAGER_DATABASE_URL\) contradicts adapter \(--adapter\), which says memory/,
  );
  const { configuration, warnings } = settle({ DATABASE_URL: 'mysql://other' }, ['--adapter', 'journal']);
  expect(configuration.adapter).toBe('journal');
  expect(warnings).toEqual(['The setting databaseUrl (DATABASE_URL) is not used: the adapter is journal.']);
  const idle = settle({ EVENT_MANAGER_DATABASE_SCHEMA: 'bus' }).warnings;
  expect(idle).toEqual([
    'The setting databaseSchema (EVENT_MANAGER_DATABASE_SCHEMA) is not used: the adapter is journal.',
  ]);
});

it('refuses a database without an address, and what is no address, without repeating it', () => {
  expect(refusal({}, ['--adapter', 'postgres'])).toMatch(/adapter \(--adapter\) needs a database/);
  for (const wrong of ['mysql://u:hidden-word@h/d', 'hidden-word', 'postgres://u:hidden-word#@h/d']) {
    const told = refusal({ DATABASE_URL: wrong });
    expect(told).toMatch(/databaseUrl \(DATABASE_URL\) must be an address such as postgresql:/);
    expect(told).not.toContain('hidden-word');
  }
  expect(refusal({ ...OURS, EVENT_MANAGER_DATABASE_SCHEMA: 'Bus"' })).toMatch(/databaseSchema .* must be/);
});
