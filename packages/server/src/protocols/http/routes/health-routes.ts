import { ANONYMOUS } from '@event-manager/core';
import type { FastifyInstance } from 'fastify';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { assertReady, reportEventsHealth, reportHealth } from '../../../operations/report-health.ts';

/** These answer in every phase, and without authentication for ever: whoever restarts the service has no account. */
export const HEALTH_PATHS: ReadonlySet<string> = new Set(['/health', '/health/events', '/livez', '/readyz']);

export function healthRoutes(app: FastifyInstance, context: OperationContext): void {
  app.get('/livez', async () => ({ status: 'ok' }));

  app.get('/readyz', async () => {
    assertReady(context);
    return { status: 'ready' };
  });

  app.get('/health', async (_request, reply) => {
    const health = reportHealth(context, ANONYMOUS);
    return reply.code(health.status === 'failed' ? 503 : 200).send(health);
  });

  app.get('/health/events', async (_request, reply) => {
    const health = reportEventsHealth(context, ANONYMOUS);
    return reply.code(health.status === 'failed' ? 503 : 200).send(health);
  });
}
