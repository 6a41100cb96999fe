import { createServer } from 'node:net';
import type { Finding, Patient } from './check.ts';

export async function checkPort({ configuration, isServing }: Patient): Promise<Finding> {
  const { host, port } = configuration;
  const place = `${host}:${port}`;
  const code = await listenFailure(host, port);
  if (code === undefined)
    return { check: 'port', status: 'ok', detail: port === 0 ? 'any free one' : `${place} is free` };
  if (code === 'EADDRINUSE' && isServing) {
    return { check: 'port', status: 'ok', detail: `${place} is used by the running service` };
  }
  const advice = 'End the program that uses it, or choose another by --port or EVENT_MANAGER_PORT.';
  return { check: 'port', status: 'failed', detail: `${place} cannot be listened on (${code})`, advice };
}

/** Listens for a moment; the code of the error when that is not possible. */
function listenFailure(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
