import { EVERY_SETTING, type NamedSetting } from './every-setting.ts';
import { type Given, type GivenSettings, invalidSetting, type NoteMistake } from './given-settings.ts';
import { readSmallFile } from './read-small-file.ts';
import { SETTINGS } from './settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'EVENT_MANAGER_';
/** Ours, but read by the command line: where the service is. */
const OF_CLIENTS: ReadonlySet<string> = new Set(['EVENT_MANAGER_URL']);
/** Of events for components, which a program in the same environment may have. */
const OF_COMPONENTS = 'EVENT_MANAGER_EVENTS_';
/**
 * Kubernetes writes such variables into every pod of a namespace that has a service called `event-manager`. They are not
 * meant for us; the one that collides with a setting, EVENT_MANAGER_PORT=tcp://…, is told from a port by its form.
 */
const SERVICE_LINK = /^EVENT_MANAGER_(SERVICE_(HOST|PORT)(_.*)?|PORT_\d+_(TCP|UDP|SCTP)(_.*)?)$/;
const SERVICE_LINK_PORT = /^(tcp|udp|sctp):\/\//;

/** Reads the variables of the product. Notes `invalid_setting` for one that begins like ours and is not. */
export function readEnvironment(environment: Environment, note: NoteMistake): GivenSettings {
  const given = new Map<string, readonly Given[]>();
  const known = new Set<string>();
  for (const row of EVERY_SETTING.values()) {
    const variables = variablesOf(row);
    for (const variable of variables) known.add(variable);
    const found = variables.flatMap((variable) => read(environment, variable, row, note));
    if (found.length > 0) given.set(row.name, found);
  }
  for (const [variable, value] of Object.entries(environment)) {
    const isForeign = OF_CLIENTS.has(variable) || variable.startsWith(OF_COMPONENTS);
    const isOurs = variable.startsWith(PREFIX) && !SERVICE_LINK.test(variable) && !isForeign;
    if (isOurs && isGiven(value) && !known.has(variable)) note(invalidSetting(variable, 'environment', 'is not known'));
  }
  return given;
}

/** Strongest first: our own name beats the one that other programs share, and a value beats the file that holds one. */
export function variablesOf({ variable, aliases = [], secret }: NamedSetting): readonly string[] {
  const names = [variable, ...aliases];
  return secret ? names.flatMap((name) => [name, `${name}_FILE`]) : names;
}

function read(environment: Environment, variable: string, { name, secret }: NamedSetting, note: NoteMistake): Given[] {
  const value = environment[variable];
  if (!isGiven(value)) return [];
  if (variable === SETTINGS.port.variable && SERVICE_LINK_PORT.test(value)) return [];
  const isFile = secret && variable.endsWith('_FILE');
  const found = isFile ? readSecret(name, variable, value, note) : value;
  return found === undefined ? [] : [{ value: found, from: variable, kind: 'environment' }];
}

/** Secrets of containers are mounted as files; editors end them with a newline that is no part of the value. */
function readSecret(name: string, variable: string, path: string, note: NoteMistake): string | undefined {
  try {
    return readSmallFile(path).replace(/\r?\n$/, '');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    note(invalidSetting(name, variable, `names a file that cannot be read (${code})`));
    return undefined;
  }
}

/** An empty variable is the way of Compose files and shells to say "not set". */
function isGiven(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
