import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import type { parse, TomlError } from 'smol-toml';
import { ConfigurationMistake, type GivenSettings, isTable, settingsIn } from './given.ts';
import { locateKey } from './locate-key.ts';

/** Settings are a few kilobytes. */
const BYTES_MAX = 1024 * 1024;

/** The parser, loaded only where there is a file to be read. */
export interface Toml {
  readonly parse: typeof parse;
  readonly TomlError: typeof TomlError;
}

/** The tables below `[events]`; the others are the program's own. Throws `ConfigurationMistake` with the line. */
export function readEventsFile(path: string, { parse, TomlError }: Toml): GivenSettings {
  const text = textOf(path);
  try {
    const { events } = parse(text);
    const place = (key: string) => ({ by: 'file' as const, from: path, ...lineOf(text, key) });
    if (events === undefined) return new Map();
    if (!isTable(events)) throw new ConfigurationMistake('', place(''), 'must be a table');
    return settingsIn(events, place);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const { line, column } = error;
    throw new ConfigurationMistake('', { from: path, line }, `cannot be read: no TOML at column ${column}`);
  }
}

function lineOf(text: string, key: string): { line?: number } {
  const line = locateKey(text, key === '' ? ['events'] : ['events', ...key.split('.')]);
  return line === undefined ? {} : { line };
}

/** Read in one go while nothing else goes on: so it must be a file, because a pipe would hold everything up, and a small one. */
function textOf(path: string): string {
  let descriptor: number | undefined;
  try {
    // Without O_NONBLOCK already opening a pipe would wait.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new ConfigurationMistake('', { from: path }, 'cannot be read: it is no regular file');
    if (stats.size > BYTES_MAX) throw new ConfigurationMistake('', { from: path }, 'cannot be read: more than 1 MiB');
    return readFileSync(descriptor, 'utf8');
  } catch (error) {
    if (error instanceof ConfigurationMistake) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new ConfigurationMistake('', { from: path }, `cannot be read (${code})`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
