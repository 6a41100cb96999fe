import { tmpdir } from 'node:os';
import { type Configuration, readConfiguration, type Service, startService } from '@event-manager/server';
import { pino } from 'pino';

/** A service of this process on a free port, silent. */
export function runService(settings: Partial<Configuration> = {}): Promise<Service> {
  const args = ['--port', '0', '--adapter', 'memory'];
  const environment = { EVENT_MANAGER_LOG_LEVEL: 'silent', EVENT_MANAGER_METRICS_ENABLED: 'false' };
  const configuration = { ...readConfiguration({ args, environment, homeDirectory: tmpdir() }), ...settings };
  return startService({ configuration, logger: pino({ level: 'silent' }) });
}
