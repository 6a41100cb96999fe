import { buildCommand, type Command } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { lines, text } from '../../command-flags.ts';

/** What the command line of the service takes; a test keeps it equal to the service's table of settings. */
export interface ServeFlags {
  readonly port?: string;
  readonly host?: string;
  readonly dataDir?: string;
  readonly config?: string;
  readonly adapter?: string;
  readonly databaseUrl?: string;
}

export const SERVE_FLAGS = {
  port: text('NUMBER', 'Where HTTP listens; 0 takes any free port (default 3004)'),
  host: text('ADDRESS', 'Which address listens (default 127.0.0.1)'),
  dataDir: text('DIRECTORY', 'Where the journal lives'),
  config: text('FILE', 'A TOML file with settings'),
  adapter: text(
    'journal|postgres|redis|memory',
    'Where events are kept (default journal, or postgres with a database)',
  ),
  databaseUrl: text('URL', 'A PostgreSQL database to keep events in; better said by EVENT_MANAGER_DATABASE_URL'),
} as const;

export const serveRoute: Command<CliContext> = buildCommand({
  loader: async () => (await import('./serve.ts')).serve,
  parameters: { flags: SERVE_FLAGS },
  docs: {
    brief: 'Run the service until a signal ends it',
    fullDescription: lines(
      'Runs the service, the same as `npm start` does. Logs are JSON lines on stdout, words for people on',
      'stderr. SIGTERM and SIGINT end it in order, a second one at once; SIGHUP reads the configuration',
      'again. Every other setting is a variable or stands in the file: see docs/configuration.md, or event-',
      'manager config print.',
    ),
    customUsage: [
      { input: '', brief: 'on port 3004, events in the data directory of the user' },
      { input: '--port 8080 --data-dir ./data', brief: 'elsewhere' },
      { input: '--adapter memory --port 0', brief: 'to try something out' },
    ],
  },
});
