import { type Given, type GivenSettings, invalidSetting } from './given-settings.ts';
import { LIMIT_SETTINGS, SETTINGS } from './settings.ts';

const PREFIX = 'EVENT_MANAGER_';
/**
 * Kubernetes writes such variables into every pod of a namespace that has a service called `event-manager`. They are not
 * meant for us; the one that collides with a setting, EVENT_MANAGER_PORT=tcp://…, is told from a port by its form.
 */
const SERVICE_LINK = /^EVENT_MANAGER_(SERVICE_(HOST|PORT)(_.*)?|PORT_\d+_(TCP|UDP|SCTP)(_.*)?)$/;
const SERVICE_LINK_PORT = /^(tcp|udp|sctp):\/\//;

/** Reads the variables of the product. Throws `invalid_setting` for one that begins like ours and is not. */
export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): GivenSettings {
  const names = new Map<string, string>();
  for (const [name, row] of Object.entries(SETTINGS)) names.set(row.variable, name);
  for (const [name, row] of Object.entries(LIMIT_SETTINGS)) names.set(row.variable, `limits.${name}`);
  const given = new Map<string, Given>();
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || SERVICE_LINK.test(variable)) continue;
    // An empty variable is the way of Compose files and shells to say "not set".
    if (value === undefined || value === '') continue;
    if (variable === SETTINGS.port.variable && SERVICE_LINK_PORT.test(value)) continue;
    const name = names.get(variable);
    if (name === undefined) throw invalidSetting(variable, 'environment', 'is not known');
    given.set(name, { value, from: variable });
  }
  return given;
}
