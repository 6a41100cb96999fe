import { join } from 'node:path';
import { startChild } from './child-process.ts';
import type { ServiceUnderTest } from './service-under-test.ts';

/** The limit: what Fastify can do at most with these bodies, in a process of its own. */
export async function startBareHttp(folder: string): Promise<ServiceUnderTest> {
  const program = join(import.meta.dirname, 'bare-http-server.ts');
  const child = await startChild(program, [join(folder, 'bare')], /listens on (http:\/\/[\w.:]+)/);
  return { pid: child.pid, url: child.found[1]!, stop: () => child.stop() };
}
