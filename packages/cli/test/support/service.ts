import { tmpdir } from 'node:os';
import { readConfiguration, type Service, startService } from '@event-manager/server';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type Ran, type RunOptions, run } from './run.ts';

export interface TestService {
  readonly service: Service;
  readonly url: string;
  /** Runs a command line against it. */
  em(args: readonly string[], options?: RunOptions): Promise<Ran>;
}

/** A service of this process on a free port, ended with the test; on the journal when a directory is given. */
export async function runningService(
  dataDir?: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<TestService> {
  const kept = dataDir === undefined ? ['--adapter', 'memory'] : ['--data-dir', dataDir];
  const environment = {
    EVENT_MANAGER_LOG_LEVEL: 'silent',
    EVENT_MANAGER_WEBHOOK_ALLOW: 'loopback',
    EVENT_MANAGER_METRICS_ENABLED: 'false',
    EVENT_MANAGER_SYSTEM_EVENTS: 'false',
    ...settings,
  };
  const configuration = readConfiguration({ args: ['--port', '0', ...kept], environment, homeDirectory: tmpdir() });
  const service = await startService({ configuration, logger: pino({ level: 'silent' }) });
  onTestFinished(() => service.stop());
  const { url } = service;
  const em = (args: readonly string[], options: RunOptions = {}) =>
    run(args, { ...options, environment: { EVENT_MANAGER_URL: url, ...options.environment } });
  return { service, url, em };
}
