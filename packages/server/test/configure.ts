import { tmpdir } from 'node:os';
import { type Configuration, readConfiguration } from '../src/index.ts';

/** The settings of a service for tests: any free port, no other, in memory, silent, no events but ours; `settings` beat these. */
export function configure(settings: Partial<Configuration> = {}): Configuration {
  const args = ['--port', '0', '--adapter', 'memory'];
  const environment = {
    EVENT_MANAGER_LOG_LEVEL: 'silent',
    EVENT_MANAGER_METRICS_ENABLED: 'false',
    EVENT_MANAGER_SYSTEM_EVENTS: 'false',
  };
  return { ...readConfiguration({ args, environment, homeDirectory: tmpdir() }), ...settings };
}
