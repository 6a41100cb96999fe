import { join } from 'node:path';
import { startChild } from './child-process.ts';

export interface ServiceUnderTest {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** The service as it ships, on the journal, in a process of its own. */
export async function startServiceUnderTest(
  dataDir: string,
  { webhookAllow = '' }: { webhookAllow?: string } = {},
): Promise<ServiceUnderTest> {
  const program = join(import.meta.dirname, '../packages/server/src/main.ts');
  const child = await startChild(program, ['--port', '0', '--data-dir', dataDir], /listens on (http:\/\/[\w.:[\]]+)/, {
    EVENT_MANAGER_WEBHOOK_ALLOW: webhookAllow,
    EVENT_MANAGER_METRICS_ENABLED: 'false',
  });
  return { url: child.found[1]!, pid: child.pid, stop: () => child.stop() };
}
