import { readFileSync } from 'node:fs';
import { EVENT_SETTINGS, EXPORT_SETTINGS, settingOf } from './event-settings.ts';
import { ConfigurationMistake, type Given, type GivenSettings } from './given.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export const DEFAULT_PREFIX = 'EVENT_MANAGER_EVENTS_';
/** Kubernetes writes such variables into every pod beside a service whose name, in capitals, is like the prefix. */
const SERVICE_LINK = /^(SERVICE_(HOST|PORT)(_.*)?|PORT(_.*)?)$/;
const SECRET_FILE = '_FILE';

/** `EXPORT_FILE` behind the prefix is `export.file`; `EXPORT_AUDIT_FILE` is `export.audit.file`. Throws `ConfigurationMistake`. */
export function readEventsEnvironment(environment: Environment, prefix: string): GivenSettings {
  const given = new Map<string, Given>();
  for (const [variable, value] of Object.entries(environment)) {
    // An empty variable is the way of Compose files and shells to say "not set".
    if (!variable.startsWith(prefix) || value === undefined || value === '') continue;
    const rest = variable.slice(prefix.length);
    if (SERVICE_LINK.test(rest)) continue;
    const place = { by: 'environment', from: variable } as const;
    const key = keyOf(rest);
    if (key !== undefined) {
      given.set(key, { value, ...place });
      continue;
    }
    const secret = rest.endsWith(SECRET_FILE) ? keyOf(rest.slice(0, -SECRET_FILE.length)) : undefined;
    if (secret === undefined || !settingOf(secret)?.secret) throw new ConfigurationMistake(rest, place, 'is not known');
    if (!given.has(secret)) given.set(secret, { value: readSecret(secret, variable, value), ...place });
  }
  return given;
}

function keyOf(rest: string): string | undefined {
  const exact = Object.keys(EVENT_SETTINGS).find((key) => variableOf(key) === rest);
  if (exact !== undefined || !rest.startsWith('EXPORT_')) return exact;
  const last = Object.keys(EXPORT_SETTINGS)
    .filter((name) => rest.endsWith(`_${variableOf(name)}`))
    .sort((a, b) => b.length - a.length)[0];
  if (last === undefined) return undefined;
  const name = rest.slice('EXPORT_'.length, -last.length - 1).toLowerCase();
  const key = `export.${name}.${last}`;
  return settingOf(key) ? key : undefined;
}

function variableOf(key: string): string {
  return key.replaceAll('.', '_').toUpperCase();
}

/** Secrets of containers are mounted as files; editors end them with a newline that is no part of the value. */
function readSecret(key: string, variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new ConfigurationMistake(key, { from: variable }, `names a file that cannot be read (${code})`);
  }
}
