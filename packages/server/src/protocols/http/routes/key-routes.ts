import { ANONYMOUS } from '@event-manager/core';
import type { FastifyInstance } from 'fastify';
import { listKeys } from '../../../operations/list-keys.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { releaseKey } from '../../../operations/release-key.ts';
import { releaseKeys } from '../../../operations/release-keys.ts';
import { type JsonBodies, readJsonBody } from '../json-body.ts';
import { QueryParameters } from '../query-parameters.ts';

interface ById {
  readonly Params: { readonly id: string };
}

/** The keys of ordered subscriptions whose later events wait. */
export function keyRoutes(app: FastifyInstance, context: OperationContext, bodies: JsonBodies): void {
  app.get<ById>('/subscriptions/:id/keys', async (request) => {
    const parameters = new QueryParameters(request);
    const page = {
      limit: parameters.wholeNumber('limit'),
      cursor: parameters.one('cursor'),
      state: parameters.oneOf('state', 'blocked', 'parked'),
    };
    parameters.assertEmpty();
    const { keys, nextCursor } = await listKeys(context, ANONYMOUS, { ...page, subscriptionId: request.params.id });
    return { data: keys, nextCursor: nextCursor ?? null };
  });

  app.post<ById>('/subscriptions/:id/keys/release', async (request, reply) => {
    const wanted = await readJsonBody(request, reply, bodies);
    return releaseKey(context, ANONYMOUS, request.params.id, wanted);
  });

  app.post<ById>('/subscriptions/:id/keys/release-all', async (request) =>
    releaseKeys(context, ANONYMOUS, request.params.id),
  );
}
