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

/** Metrics are on the port of the service as well, so that one of their own is no condition. */
export async function checkMetricsPort({ configuration, isServing }: Patient): Promise<readonly Finding[]> {
  const { host, metricsEnabled, metricsPort } = configuration;
  // The service itself says whether it got the port.
  if (!metricsEnabled || isServing) return [];
  const code = await listenFailure(host, metricsPort);
  if (code === undefined) return [];
  const detail = `${host}:${metricsPort} for metrics cannot be listened on (${code})`;
  const advice = 'Choose another by EVENT_MANAGER_METRICS_PORT, or none by EVENT_MANAGER_METRICS_ENABLED=false.';
  return [{ check: 'port', status: 'warning', detail, advice }];
}

/** Listens for a moment; the code of the error when that is not possible. */
function listenFailure(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
