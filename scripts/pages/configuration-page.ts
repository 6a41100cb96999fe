import { readFileSync } from 'node:fs';
import { EVERY_SETTING, type NamedSetting } from '@event-manager/server';

const LIMITS = new URL('../../packages/core/src/limits.ts', import.meta.url);

/** docs/configuration.md, from the table that the service reads. */
export function configurationPage(): string {
  const rows = [...EVERY_SETTING.values()];
  const settings = rows.filter((row) => row.use === 'setting');
  const limits = rows.filter((row) => row.use === 'limit');
  const unused = rows.filter((row) => row.use === 'none');
  return [
    OPENING,
    '| Name | Variable | Command line | Default | Live | Reason |\n|---|---|---|---|---|---|',
    ...settings.map(settingLine),
    DATA_DIR,
    '| Name | Variable | Default | Live | What it bounds, and why |\n|---|---|---|---|---|',
    ...limits.map(limitLine(limitReasons())),
    UNUSED,
    '| Name | Variable | What it is, and what happens instead |\n|---|---|---|',
    ...unused.map(unusedLine),
    RELOAD,
  ].join('\n');
}

function settingLine(row: NamedSetting & { readonly use: 'setting' }): string {
  const flag = row.flag === undefined ? '' : `\`--${row.flag}\``;
  const cells = [
    codes([row.name, ...(row.spellings ?? [])]),
    codes([row.variable, ...(row.aliases ?? [])]),
    flag,
    shown(row.fallback),
    row.live ? 'yes' : '',
    row.reason,
  ];
  return `| ${cells.join(' | ')} |`;
}

function limitLine(reasons: ReadonlyMap<string, string>) {
  return (row: NamedSetting & { readonly use: 'limit' }): string => {
    const reason = reasons.get(row.name.slice('limits.'.length)) ?? row.reason;
    return `| \`${row.name}\` | \`${row.variable}\` | ${shown(row.fallback)} | ${row.live ? 'yes' : ''} | ${reason} |`;
  };
}

function unusedLine(row: NamedSetting & { readonly use: 'none' }): string {
  const names = codes([row.name, ...(row.spellings ?? [])]);
  return `| ${names} | ${codes([row.variable, ...(row.aliases ?? [])])} | ${row.reason} Now: ${row.instead}. |`;
}

/** The reasons stand beside the limits, for those who read the code. */
function limitReasons(): ReadonlyMap<string, string> {
  const source = readFileSync(LIMITS, 'utf8');
  const found = source.matchAll(/\/\*\* (.+) \*\/\n\s+readonly (\w+): number;/g);
  return new Map([...found].map(([, reason, name]) => [name!, reason!]));
}

function codes(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}

function shown(fallback: unknown): string {
  if (fallback === undefined) return '';
  if (Array.isArray(fallback)) return fallback.length === 0 ? 'none' : fallback.join(', ');
  return typeof fallback === 'number' ? fallback.toLocaleString('en-US') : String(fallback);
}

const OPENING = `# Configuration of the service

This page is written by \`npm run pages\` from the table of settings in \`packages/server/src/configuration\`; a test keeps them equal.

A setting is read from the command line, else from the environment, else from a TOML file (\`--config\` or \`EVENT_MANAGER_CONFIG\`), else it has its default.
A wrong value, and a name that is not known, stop the start with a sentence that names the setting and where it came from.

- **Environment.** Lists have commas between their entries. An empty variable counts as absent. Where two variables are given, the one that begins with \`EVENT_MANAGER_\`
  wins: \`PORT\` and \`LOG_LEVEL\` may be set for every program of a machine. A secret can also be given as a file: the variable with \`_FILE\` behind its name holds the path.
  \`NODE_ENV\` means nothing here; \`EVENT_MANAGER_URL\` is for the command line, which takes it as the address of the service.
- **File.** Names are in camelCase or snake_case, and may be split into tables at any of their words: \`max_size\` in \`[queue]\`, \`queueMaxSize\` and
  \`queue_max_size\` in \`[limits]\` are the same. Giving one twice is an error.
- **What is in force, and why:** \`event-manager config print\` prints each value and where it came from, with what it beat, and secrets only with \`--show-secrets\`; \`event-manager config check\` only
  says whether the service would start. \`event-manager doctor\` looks at the surroundings too. \`npm start -- --help\` prints the names.

\`\`\`toml
port = 3004
webhook_allow = ["loopback", "10.1.0.0/16", "hooks.internal"]

[queue]
max_size = 20000

[limits]
event_bytes_max = 262144
\`\`\`

"Live" settings change without a restart; see [below](#changing-the-file-while-it-runs).
`;

const DATA_DIR = `
Without \`dataDir\` the journal lies in \`$XDG_DATA_HOME/event-manager\`, or \`~/.local/share/event-manager\`.

## A database
The address of one picks the adapter \`postgres\`. Beside another \`adapter\` it is refused, because it says that events are kept there; \`DATABASE_URL\`, which other programs of the
machine may be meant by, is a warning there. Where both variables are given, the start says which one won. The address is a secret: \`EVENT_MANAGER_DATABASE_URL_FILE\` takes it
from a file, and whoever looks at the service, its logs or its errors sees host, port and name of the database alone.

A database that is not there yet at the start is waited for (\`databaseStartTimeoutMs\`), with a line in the log at each try; the port opens when the store is open, so whoever asks for
readiness meanwhile is refused. Then it ends with 1. What waiting cannot mend ends it at once: a wrong password, a database that does not exist, tables that may not be made.

## Limits
Exceeding one is an error that names it. Bytes are of UTF-8.
`;

const UNUSED = `
## Known and not used by this version
These names are part of the specification; what they set up comes with a later version, or is not needed. They are checked like others. Who gives one is told at the
start, so that nobody relies on it. Where two names mean the same, the full URL wins: \`AAS_WEBHOOK_URL\` beats \`AAS_SERVICE_URL\` with \`AAS_WEBHOOK_ENDPOINT\`.
`;

const RELOAD = `
## Changing the file while it runs
The folder of the file is watched (so that a ConfigMap of Kubernetes, which swaps a link, is seen), and \`SIGHUP\` reads it again. The whole file is checked first: with a
mistake in it everything stays as it was and the log says what is wrong. Then the settings marked "live" are in force at once. For others the log names those that wait for a restart, and those that the environment or the
command line keeps as they are. When the terminal of the service goes away, the same signal ends it in order.
`;
