import { ANONYMOUS } from '@event-manager/core';
import type { FastifyInstance } from 'fastify';
import { explainDelivery } from '../../../operations/explain-delivery.ts';
import { listDeliveries } from '../../../operations/list-deliveries.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { previewFilter } from '../../../operations/preview-filter.ts';
import { type JsonBodies, readJsonBody } from '../json-body.ts';
import { QueryParameters } from '../query-parameters.ts';

/** Why events did or did not come. */
export function whyRoutes(app: FastifyInstance, context: OperationContext, bodies: JsonBodies): void {
  app.post('/filters/preview', async (request, reply) =>
    previewFilter(context, ANONYMOUS, await readJsonBody(request, reply, bodies)),
  );

  app.get<{ Params: { readonly id: string; readonly eventId: string } }>(
    '/subscriptions/:id/why/:eventId',
    async ({ params }) => explainDelivery(context, ANONYMOUS, params.id, params.eventId),
  );

  app.get<{ Params: { readonly id: string } }>('/events/:id/deliveries', async (request) => {
    const parameters = new QueryParameters(request);
    const all = parameters.oneOf('all', 'true', 'false') === 'true';
    const page = { limit: parameters.wholeNumber('limit'), cursor: parameters.one('cursor') };
    parameters.assertEmpty();
    const found = await listDeliveries(context, ANONYMOUS, { eventId: request.params.id, all, ...page });
    const { deliveries, notMatching, nextCursor } = found;
    return { data: deliveries, nextCursor: nextCursor ?? null, notMatching };
  });
}
