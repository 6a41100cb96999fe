import { ANONYMOUS } from '@event-manager/core';
import type { FastifyInstance } from 'fastify';
import { type ExpositionForm, expose } from '../../../metrics/exposition.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { readForMonitoring, reportMetrics } from '../../../operations/report-metrics.ts';

/** Answered in every phase: what happens while the service stops is worth seeing too. */
export const METRICS_PATH = '/metrics';

export function metricsRoutes(app: FastifyInstance, context: OperationContext): void {
  app.get(METRICS_PATH, async (request, reply) => {
    const form = formFor(request.headers.accept ?? '');
    reply.header('vary', 'accept').header('cache-control', 'no-store');
    if (form === 'json') return reportMetrics(context, ANONYMOUS);
    const { contentType, text } = await expose(readForMonitoring(context, ANONYMOUS), form);
    return reply.header('content-type', contentType).send(text);
  });
}

/** Prometheus names what it can read, best first; whoever names nothing that we have gets the plain form. */
function formFor(accept: string): ExpositionForm | 'json' {
  if (accept.includes('application/openmetrics-text')) return 'openmetrics';
  return /^\s*application\/json\b/i.test(accept) ? 'json' : 'prometheus';
}
