import { onTestFinished } from 'vitest';
import { ServiceProcess } from '../../../examples/github-demo/service-process.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface InstanceOptions {
  /** 0, or what it had before it ended. */
  readonly port?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** What it is started by. */
  readonly by?: readonly string[];
}

/** A service of its own on a database, or a Redis that keeps everything, that others may share; it ends with the test. */
export function makeInstance(storeUrl: string, options: InstanceOptions = {}): ServiceProcess {
  const { port = 0, environment, args = [], by = [] } = options;
  const instance = new ServiceProcess({
    dataDir: temporaryDirectory(),
    port,
    args,
    by,
    environment: { ...settingsOf(storeUrl), EVENT_MANAGER_WEBHOOK_ALLOW: 'loopback', ...environment },
  });
  onTestFinished(async () => void (await instance.stop('SIGKILL')));
  return instance;
}

/** The same, and it listens. */
export async function startInstance(storeUrl: string, options: InstanceOptions = {}): Promise<ServiceProcess> {
  const instance = makeInstance(storeUrl, options);
  await instance.listening();
  return instance;
}

function settingsOf(storeUrl: string): Record<string, string> {
  if (!storeUrl.startsWith('redis')) return { EVENT_MANAGER_DATABASE_URL: storeUrl };
  return { EVENT_MANAGER_ADAPTER: 'redis', EVENT_MANAGER_REDIS_URL: storeUrl };
}
