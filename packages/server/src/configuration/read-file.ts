import { parse, TomlError } from 'smol-toml';
import { FILE_NAMES } from './every-setting.ts';
import { type Given, type GivenSettings, invalidSetting, type NoteMistake } from './given-settings.ts';
import { readSmallFile } from './read-small-file.ts';

/** Which file it is stands outside of it. */
const OUTSIDE: ReadonlySet<string> = new Set(['config']);

/**
 * Reads a TOML file. A name is in camelCase or snake_case and may be split into tables at any of its words, so that
 * `port` in `[metrics]` is `metricsPort`; limits may stand in `[limits]`. Notes `invalid_setting`.
 */
export function readFile(path: string, note: NoteMistake): GivenSettings {
  const given = new Map<string, readonly Given[]>();
  for (const { written, words, value } of leaves(parseFile(path, note))) {
    const isLimit = words[0] === 'limits' && words.length > 1;
    const plain = joined(isLimit ? words.slice(1) : words);
    const name = FILE_NAMES.get(plain);
    const isKnown = name !== undefined && !OUTSIDE.has(name) && (!isLimit || name.startsWith('limits.'));
    if (!isKnown) note(invalidSetting(isLimit ? `limits.${plain}` : written, path, 'is not known'));
    else if (given.has(name)) note(invalidSetting(name, path, 'is given twice, in two spellings'));
    else given.set(name, [{ value, from: path, kind: 'file' }]);
  }
  return given;
}

interface Leaf {
  /** As the file has it, for the one who looks for it. */
  readonly written: string;
  readonly words: readonly string[];
  readonly value: unknown;
}

function leaves(table: Readonly<Record<string, unknown>>, path: readonly string[] = []): Leaf[] {
  return Object.entries(table).flatMap(([key, value]) => {
    const keys = [...path, key];
    if (isTable(value)) return leaves(value, keys);
    return [{ written: keys.join('.'), words: keys.map(toCamelCase), value }];
  });
}

function parseFile(path: string, note: NoteMistake): Record<string, unknown> {
  try {
    return parse(readSmallFile(path));
  } catch (error) {
    if (error instanceof TomlError) {
      note(invalidSetting('config', path, `is not TOML at line ${error.line}, column ${error.column}`));
      return {};
    }
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    note(invalidSetting('config', path, `names a file that cannot be read (${code})`));
    return {};
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function toCamelCase(key: string): string {
  return key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function joined([first = '', ...rest]: readonly string[]): string {
  return first + rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
