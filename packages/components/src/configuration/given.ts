import { settingOf } from './event-settings.ts';

/** Where a value comes from. */
export type GivenBy = 'call' | 'environment' | 'file';

/** One value as it was given, and where. */
export interface Given {
  readonly value: unknown;
  readonly by: GivenBy;
  /** The variable or the file; `the call` for what the program says. */
  readonly from: string;
  /** Of the file. */
  readonly line?: number;
}

/** What one source says, by the names of settings. */
export type GivenSettings = ReadonlyMap<string, Given>;

/** What is wrong with a configuration. It becomes an `EventManagerError` outside: its class is not loaded while events are off. */
export class ConfigurationMistake extends TypeError {
  readonly setting: string;
  readonly from: string;
  readonly line: number | undefined;

  constructor(setting: string, { from, line }: Pick<Given, 'from' | 'line'>, words: string) {
    const place = line === undefined ? from : `${from}, line ${line}`;
    super(`The setting ${setting === '' ? 'events' : `events.${setting}`} (${place}) ${words}.`);
    this.setting = setting;
    this.from = from;
    this.line = line;
  }
}

/**
 * The settings in a table as a file or a program writes it: `{ filtering: { includeTypes: [] } }` says `filtering.include_types`.
 * Throws `ConfigurationMistake` for a name that is not known.
 */
export function settingsIn(
  table: Readonly<Record<string, unknown>>,
  place: (key: string) => Pick<Given, 'by' | 'from' | 'line'>,
): GivenSettings {
  const given = new Map<string, Given>();
  const walk = (inner: Readonly<Record<string, unknown>>, path: readonly string[]): void => {
    for (const [word, value] of Object.entries(inner)) {
      if (value === undefined) continue;
      const keys = [...path, toSnakeCase(word)];
      const key = keys.join('.');
      if (isTable(value) && settingOf(key) === undefined && keys.length < 3) {
        walk(value, keys);
      } else if (settingOf(key) === undefined) {
        throw new ConfigurationMistake(key, place(key), 'is not known');
      } else if (given.has(key)) {
        throw new ConfigurationMistake(key, place(key), 'is given twice, in two spellings');
      } else {
        given.set(key, { value, ...place(key) });
      }
    }
  };
  walk(table, []);
  return given;
}

export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function toSnakeCase(word: string): string {
  return word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
