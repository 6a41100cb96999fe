import { tmpdir } from 'node:os';
import { type Configuration, readConfiguration } from '../src/index.ts';

/** The settings of a service for tests: any free port, in memory, silent; `settings` beat these. */
export function configure(settings: Partial<Configuration> = {}): Configuration {
  const args = ['--port', '0', '--adapter', 'memory'];
  const environment = { EVENT_MANAGER_LOG_LEVEL: 'silent' };
  return { ...readConfiguration({ args, environment, homeDirectory: tmpdir() }), ...settings };
}
