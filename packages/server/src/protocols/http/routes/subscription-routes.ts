import { ANONYMOUS } from '@event-manager/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createSubscription } from '../../../operations/create-subscription.ts';
import { deleteSubscription } from '../../../operations/delete-subscription.ts';
import { getSubscription } from '../../../operations/get-subscription.ts';
import { listDeadLetters } from '../../../operations/list-dead-letters.ts';
import { listSubscriptions } from '../../../operations/list-subscriptions.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { pauseSubscription } from '../../../operations/pause-subscription.ts';
import { resumeSubscription } from '../../../operations/resume-subscription.ts';
import { type JsonBodies, readJsonBody } from '../json-body.ts';
import { QueryParameters } from '../query-parameters.ts';

interface ById {
  readonly Params: { readonly id: string };
}

export function subscriptionRoutes(app: FastifyInstance, context: OperationContext, bodies: JsonBodies): void {
  app.post('/subscriptions', async (request, reply) => {
    const wanted = await readJsonBody(request, reply, bodies);
    const { subscription, created } = await createSubscription(context, ANONYMOUS, wanted);
    return reply
      .code(created ? 201 : 200)
      .header('location', `/subscriptions/${subscription.id}`)
      .send(subscription);
  });

  app.get('/subscriptions', async (request) => {
    const { subscriptions, nextCursor } = listSubscriptions(context, ANONYMOUS, readPage(request));
    return { data: subscriptions, nextCursor: nextCursor ?? null };
  });

  app.get<ById>('/subscriptions/:id', async (request) => getSubscription(context, ANONYMOUS, request.params.id));

  app.delete<ById>('/subscriptions/:id', async (request, reply) => {
    await deleteSubscription(context, ANONYMOUS, request.params.id);
    return reply.code(204).send();
  });

  app.post<ById>('/subscriptions/:id/pause', async (request) =>
    pauseSubscription(context, ANONYMOUS, request.params.id),
  );

  app.post<ById>('/subscriptions/:id/resume', async (request) =>
    resumeSubscription(context, ANONYMOUS, request.params.id),
  );

  app.get<ById>('/subscriptions/:id/dead-letters', async (request) => {
    const { letters, nextCursor } = await listDeadLetters(context, ANONYMOUS, request.params.id, readPage(request));
    return { data: letters, nextCursor: nextCursor ?? null };
  });
}

function readPage(request: FastifyRequest): { limit: number | undefined; cursor: string | undefined } {
  const parameters = new QueryParameters(request);
  const page = { limit: parameters.wholeNumber('limit'), cursor: parameters.one('cursor') };
  parameters.assertEmpty();
  return page;
}
