import { ANONYMOUS } from '@event-manager/core';
import type { FastifyInstance } from 'fastify';
import { getContext } from '../../../operations/get-context.ts';
import { listContexts } from '../../../operations/list-contexts.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { registerContext } from '../../../operations/register-context.ts';
import { removeContext } from '../../../operations/remove-context.ts';
import { type JsonBodies, readJsonBody } from '../json-body.ts';
import { QueryParameters } from '../query-parameters.ts';

interface BySubscriber {
  readonly Params: { readonly subscriber: string };
}

export function contextRoutes(app: FastifyInstance, context: OperationContext, bodies: JsonBodies): void {
  app.get('/contexts', async (request) => {
    const parameters = new QueryParameters(request);
    const page = { limit: parameters.wholeNumber('limit'), cursor: parameters.one('cursor') };
    parameters.assertEmpty();
    const { contexts, nextCursor } = listContexts(context, ANONYMOUS, page);
    return { data: contexts, nextCursor: nextCursor ?? null };
  });

  app.get<BySubscriber>('/contexts/:subscriber', async (request) =>
    getContext(context, ANONYMOUS, request.params.subscriber),
  );

  app.put<BySubscriber>('/contexts/:subscriber', async (request, reply) => {
    const wanted = await readJsonBody(request, reply, bodies);
    const { registered, created } = await registerContext(context, ANONYMOUS, request.params.subscriber, wanted);
    return reply.code(created ? 201 : 200).send(registered);
  });

  app.delete<BySubscriber>('/contexts/:subscriber', async (request, reply) => {
    await removeContext(context, ANONYMOUS, request.params.subscriber);
    return reply.code(204).send();
  });
}
