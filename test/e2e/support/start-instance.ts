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

/** A service of its own on a database that others may share; it ends with the test. */
export function makeInstance(databaseUrl: string, options: InstanceOptions = {}): ServiceProcess {
  const { port = 0, environment, args = [], by = [] } = options;
  const instance = new ServiceProcess({
    dataDir: temporaryDirectory(),
    port,
    args,
    by,
    environment: { EVENT_MANAGER_DATABASE_URL: databaseUrl, EVENT_MANAGER_WEBHOOK_ALLOW: 'loopback', ...environment },
  });
  onTestFinished(async () => void (await instance.stop('SIGKILL')));
  return instance;
}

/** The same, and it listens. */
export async function startInstance(databaseUrl: string, options: InstanceOptions = {}): Promise<ServiceProcess> {
  const instance = makeInstance(databaseUrl, options);
  await instance.listening();
  return instance;
}
