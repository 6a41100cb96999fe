import { DEFAULT_LIMITS } from '@event-manager/core';
import { LIMIT_SETTINGS } from './configuration/limit-settings.ts';
import { SETTINGS } from './configuration/settings.ts';

const ASKS: ReadonlySet<string> = new Set(['--help', '-h', 'help']);

export function asksForUsage(args: readonly string[]): boolean {
  return args.some((arg) => ASKS.has(arg));
}

/** Every setting, from the same tables that are read: what is printed is what works. */
export function usage(): string {
  const rows = Object.values(SETTINGS).map((row) => {
    const names = 'flag' in row && row.flag ? [`--${row.flag}`, row.variable] : [row.variable];
    return `  ${names.join(', ')}${defaultOf(row.fallback)}\n      ${row.reason}`;
  });
  const limits = Object.entries(LIMIT_SETTINGS).map(
    ([name, row]) => `  ${row.variable} (default ${DEFAULT_LIMITS[name as keyof typeof DEFAULT_LIMITS]})`,
  );
  return [
    'Usage: npm start -- [--port NUMBER] [--data-dir DIRECTORY] [--config FILE] …',
    '',
    'Keeps events and delivers them, over HTTP. Settings come from the command line, else the environment, else the file:',
    ...rows,
    '',
    'Limits (docs/configuration.md says what each bounds, and why):',
    ...limits,
    '',
  ].join('\n');
}

function defaultOf(fallback: unknown): string {
  if (fallback === undefined || (Array.isArray(fallback) && fallback.length === 0)) return '';
  return ` (default ${fallback})`;
}
