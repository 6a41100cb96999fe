import { EVENT_SETTINGS, EXPORT_SETTINGS } from './event-settings.ts';
import type { EventsConfiguration, ExportConfiguration } from './events-configuration.ts';
import { ConfigurationMistake, type Given, type GivenSettings } from './given.ts';

export interface SettledEvents {
  readonly configuration: EventsConfiguration;
  /** Of each setting that was given: who won. */
  readonly winners: ReadonlyMap<string, Given>;
}

/** One configuration of what several sources say, the strongest first. Throws `ConfigurationMistake` for the first value that cannot be read. */
export function settleEvents(sources: readonly GivenSettings[]): SettledEvents {
  const winners = new Map<string, Given>();
  for (const source of sources) for (const [key, given] of source) if (!winners.has(key)) winners.set(key, given);
  const names = new Set(['']);
  for (const key of winners.keys()) names.add(/^export\.([^.]*)\.[^.]*$/.exec(key)?.[1] ?? '');

  const value = (key: string, { reader, fallback } = EVENT_SETTINGS[key]!): unknown => {
    const given = winners.get(key);
    if (given === undefined) return fallback;
    const read = reader.read(given.value);
    if (read === undefined) throw new ConfigurationMistake(key, given, `must be ${reader.expects}`);
    return read;
  };
  const group = (prefix: string, keys: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(keys.map((key) => [toCamelCase(key), value(`${prefix}${key}`)]));

  const exports = [...names].map((name) => {
    const prefix = name === '' ? 'export.' : `export.${name}.`;
    const rows = Object.entries(EXPORT_SETTINGS);
    const entries = rows.map(([key, setting]) => [toCamelCase(key), value(`${prefix}${key}`, setting)] as const);
    return { name, ...Object.fromEntries(entries) } as unknown as ExportConfiguration;
  });
  const plain = Object.keys(EVENT_SETTINGS).filter((key) => !key.includes('.'));
  const configuration = {
    ...group('', plain),
    filtering: group('filtering.', ['include_types', 'exclude_types']),
    health: group('health.', ['enabled', 'host', 'port']),
    exports: exports.filter(leadsSomewhere),
  };
  return { configuration: configuration as unknown as EventsConfiguration, winners };
}

function leadsSomewhere({ stdout, file, webhook }: ExportConfiguration): boolean {
  return stdout || file !== undefined || webhook !== undefined;
}

function toCamelCase(key: string): string {
  return key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
