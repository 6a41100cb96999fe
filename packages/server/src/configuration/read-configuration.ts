import { join, resolve } from 'node:path';
import type { Limits } from '@event-manager/core';
import { type Given, type GivenSettings, invalidSetting } from './given-settings.ts';
import { isLoopback } from './is-loopback.ts';
import { readArguments } from './read-arguments.ts';
import { readEnvironment } from './read-environment.ts';
import { readFile } from './read-file.ts';
import type { Setting } from './setting.ts';
import { type Configuration, LIMIT_SETTINGS, SETTINGS } from './settings.ts';

export interface Surroundings {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
}

/**
 * Command line over environment over file over default. Throws `invalid_setting` for a value that cannot be read, a name
 * that is not known, and settings that contradict each other; each names the setting and where it came from.
 */
export function readConfiguration(surroundings: Surroundings): Configuration {
  const fromArguments = readArguments(surroundings.args);
  const fromEnvironment = readEnvironment(surroundings.environment);
  const file = pick(SETTINGS.config, 'config', [fromArguments, fromEnvironment]);
  const sources = [fromArguments, fromEnvironment, file === undefined ? new Map<string, Given>() : readFile(file)];
  const values = mapTable(SETTINGS, (row, name) => pick(row, name, sources));
  const limits = mapTable(LIMIT_SETTINGS, (row, name) => pick(row, `limits.${name}`, sources)) as unknown as Limits;
  const configuration = {
    ...values,
    dataDir: resolve((values['dataDir'] as string | undefined) ?? defaultDataDir(surroundings)),
    limits,
  } as Configuration;
  checkTogether(configuration);
  return configuration;
}

function pick<Value>(row: Setting<Value>, name: string, sources: readonly GivenSettings[]): Value {
  const given = sources.map((source) => source.get(name)).find((found) => found !== undefined);
  if (given === undefined) return row.fallback;
  const value = row.reader.read(given.value);
  if (value !== undefined) return value;
  throw invalidSetting(name, given.from, `must be ${row.reader.expects}`);
}

function mapTable(
  table: Readonly<Record<string, Setting<unknown>>>,
  read: (row: Setting<unknown>, name: string) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(table).map(([name, row]) => [name, read(row, name)]));
}

/** `$XDG_DATA_HOME/event-manager`; the specification says that a relative XDG path is to be ignored. */
function defaultDataDir({ environment, homeDirectory }: Surroundings): string {
  const dataHome = environment['XDG_DATA_HOME'];
  const isUsable = dataHome?.startsWith('/') === true;
  return join(isUsable ? dataHome : join(homeDirectory, '.local', 'share'), 'event-manager');
}

function checkTogether({ host, allowUnauthenticated, limits }: Configuration): void {
  if (!isLoopback(host) && !allowUnauthenticated) {
    const words =
      `would let everybody who reaches ${host} read and publish everything, because this version has no authentication; ` +
      `use 127.0.0.1, or say ${SETTINGS.allowUnauthenticated.variable}=true if something in front of it decides who gets in`;
    throw invalidSetting('host', SETTINGS.host.variable, words);
  }
  if (limits.eventBytesMax > limits.bodyBytesMax) {
    const words = 'must not be larger than limits.bodyBytesMax: an event of that size could not be sent';
    throw invalidSetting('limits.eventBytesMax', LIMIT_SETTINGS.eventBytesMax.variable, words);
  }
}
