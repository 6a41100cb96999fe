import { readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import { type Given, type GivenSettings, invalidSetting } from './given-settings.ts';
import { LIMIT_SETTINGS, SETTINGS } from './settings.ts';

/** Reads a TOML file: settings at the top, limits in a table `[limits]`, names in camelCase or snake_case. Throws `invalid_setting`. */
export function readFile(path: string): GivenSettings {
  const given = new Map<string, Given>();
  for (const [key, value] of Object.entries(parseFile(path))) {
    const name = toCamelCase(key);
    if (name === 'limits' && isTable(value)) {
      for (const [limit, size] of Object.entries(value)) take(given, `limits.${toCamelCase(limit)}`, size, path);
    } else {
      take(given, name, value, path);
    }
  }
  return given;
}

function parseFile(path: string): Record<string, unknown> {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof TomlError) {
      throw invalidSetting('config', path, `is not TOML at line ${error.line}, column ${error.column}`);
    }
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw invalidSetting('config', path, `names a file that cannot be read (${code})`);
  }
}

function take(given: Map<string, Given>, name: string, value: unknown, path: string): void {
  const isKnown = name.startsWith('limits.')
    ? Object.hasOwn(LIMIT_SETTINGS, name.slice('limits.'.length))
    : Object.hasOwn(SETTINGS, name) && name !== 'config';
  if (!isKnown) throw invalidSetting(name, path, 'is not known');
  if (given.has(name)) throw invalidSetting(name, path, 'is given twice, in two spellings');
  given.set(name, { value, from: path });
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function toCamelCase(key: string): string {
  return key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
