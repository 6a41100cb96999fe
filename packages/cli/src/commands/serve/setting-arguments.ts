import type { ServeFlags } from './route.ts';

/** The flags as the service reads them. */
export function settingArguments(flags: ServeFlags): string[] {
  const named = {
    port: flags.port,
    host: flags.host,
    'data-dir': flags.dataDir,
    config: flags.config,
    adapter: flags.adapter,
    'database-url': flags.databaseUrl,
  };
  return Object.entries(named).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}=${value}`]));
}
