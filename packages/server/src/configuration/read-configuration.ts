import { join, resolve } from 'node:path';
import type { EventManagerError, Limits } from '@event-manager/core';
import { assistanceHosts } from './assistance-hosts.ts';
import { checkRedis } from './check-redis.ts';
import { checkTogether } from './check-together.ts';
import { chooseAdapter } from './choose-adapter.ts';
import { EVERY_SETTING, type NamedSetting } from './every-setting.ts';
import {
  type Given,
  type GivenSettings,
  invalidSetting,
  type NoteMistake,
  refuse,
  type SourceKind,
} from './given-settings.ts';
import { readArguments } from './read-arguments.ts';
import { readEnvironment } from './read-environment.ts';
import { readFile } from './read-file.ts';
import type { Configuration } from './settings.ts';

export interface Surroundings {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
}

/** One setting with what became of it. */
export interface SettledSetting {
  readonly row: NamedSetting;
  readonly value: unknown;
  readonly kind: SourceKind | 'default';
  /** The option, variable or file; empty for a default. */
  readonly from: string;
  /** Who else gave it and was beaten. */
  readonly beaten: readonly Given[];
}

export interface SettledConfiguration {
  readonly configuration: Configuration;
  /** Every row of the table, in its order. */
  readonly settings: ReadonlyMap<string, SettledSetting>;
  /** What was given and has no effect. */
  readonly warnings: readonly string[];
}

/**
 * Command line over environment over file over default. Throws `invalid_setting` for a value that cannot be read, a name
 * that is not known, and settings that contradict each other; each names the setting and where it came from.
 */
export function readConfiguration(surroundings: Surroundings): Configuration {
  return settleConfiguration(surroundings).configuration;
}

/** The same, and where each value came from. */
export function settleConfiguration(surroundings: Surroundings): SettledConfiguration {
  return settleNoting(surroundings, refuse);
}

/** Every mistake, in the order of reading, and what would be a warning; the first one that a start would tell comes first. */
export function findMistakes(surroundings: Surroundings): {
  readonly mistakes: readonly EventManagerError[];
  readonly warnings: readonly string[];
} {
  // By their words: which file it is, is looked up twice.
  const mistakes = new Map<string, EventManagerError>();
  const { warnings } = settleNoting(surroundings, (mistake) => void mistakes.set(mistake.message, mistake));
  return { mistakes: [...mistakes.values()], warnings };
}

/** What is wrong counts as not given. */
function settleNoting({ args, environment, homeDirectory }: Surroundings, note: NoteMistake): SettledConfiguration {
  const beforeFile = [readArguments(args, note), readEnvironment(environment, note)];
  const path = settle(EVERY_SETTING.get('config')!, beforeFile, note).value as string | undefined;
  const sources = path === undefined ? beforeFile : [...beforeFile, readFile(path, note)];
  const settings = new Map([...EVERY_SETTING].map(([name, row]) => [name, settle(row, sources, note)] as const));
  const dataDir = settings.get('dataDir')!;
  const inFull = resolve((dataDir.value as string | undefined) ?? defaultDataDir(environment, homeDirectory));
  settings.set('dataDir', { ...dataDir, value: inFull });
  const { adapter, warnings } = chooseAdapter(settings, note);
  settings.set('adapter', adapter);
  const idle = [...warnings, ...checkRedis(settings, note)];
  const configuration = configurationOf(settings);
  checkTogether(configuration, settings, note);
  return { configuration, settings, warnings: [...idle, ...unusedWarnings(settings)] };
}

function settle(row: NamedSetting, sources: readonly GivenSettings[], note: NoteMistake): SettledSetting {
  const [given, ...beaten] = sources.flatMap((source) => source.get(row.name) ?? []);
  const value = given && row.reader.read(given.value);
  if (given && value !== undefined) return { row, value, kind: given.kind, from: given.from, beaten };
  if (given) note(invalidSetting(row.name, given.from, `must be ${row.reader.expects}`));
  const fallback = row.use === 'none' ? undefined : row.fallback;
  return { row, value: fallback, kind: 'default', from: '', beaten: [] };
}

function configurationOf(settings: ReadonlyMap<string, SettledSetting>): Configuration {
  const values: Record<string, unknown> = {};
  const limits: Record<string, unknown> = {};
  for (const [name, { row, value }] of settings) {
    if (row.use === 'setting') values[name] = value;
    if (row.use === 'limit') limits[name.slice('limits.'.length)] = value;
  }
  const hosts = { assistanceHosts: assistanceHosts(settings) };
  return { ...values, ...hosts, limits: limits as unknown as Limits } as unknown as Configuration;
}

function unusedWarnings(settings: ReadonlyMap<string, SettledSetting>): readonly string[] {
  return [...settings.values()].flatMap(({ row, kind, from }) =>
    row.use === 'none' && kind !== 'default'
      ? [`The setting ${row.name} (${from}) is not used by this version: ${row.instead}.`]
      : [],
  );
}

/** `$XDG_DATA_HOME/event-manager`; the specification says that a relative XDG path is to be ignored. */
function defaultDataDir(environment: Surroundings['environment'], homeDirectory: string): string {
  const dataHome = environment['XDG_DATA_HOME'];
  const isUsable = dataHome?.startsWith('/') === true;
  return join(isUsable ? dataHome : join(homeDirectory, '.local', 'share'), 'event-manager');
}
