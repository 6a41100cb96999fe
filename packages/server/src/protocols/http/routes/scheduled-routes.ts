import { ANONYMOUS } from '@event-manager/core';
import type { FastifyInstance } from 'fastify';
import { cancelScheduled } from '../../../operations/cancel-scheduled.ts';
import { getScheduled } from '../../../operations/get-scheduled.ts';
import { listScheduled } from '../../../operations/list-scheduled.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { QueryParameters } from '../query-parameters.ts';

interface ById {
  readonly Params: { readonly id: string };
}

export function scheduledRoutes(app: FastifyInstance, context: OperationContext): void {
  app.get('/scheduled', async (request) => {
    const parameters = new QueryParameters(request);
    const page = { limit: parameters.wholeNumber('limit'), cursor: parameters.one('cursor') };
    parameters.assertEmpty();
    const { scheduled, nextCursor } = await listScheduled(context, ANONYMOUS, page);
    return { data: scheduled, nextCursor: nextCursor ?? null };
  });

  app.get<ById>('/scheduled/:id', async (request) => getScheduled(context, ANONYMOUS, request.params.id));

  app.delete<ById>('/scheduled/:id', async (request) => cancelScheduled(context, ANONYMOUS, request.params.id));
}
