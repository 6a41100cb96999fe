import { ANONYMOUS } from '@event-manager/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createSubscription } from '../../../operations/create-subscription.ts';
import { deleteSubscription } from '../../../operations/delete-subscription.ts';
import { getSubscription } from '../../../operations/get-subscription.ts';
import { type ListSubscriptionsInput, listSubscriptions } from '../../../operations/list-subscriptions.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { pauseSubscription } from '../../../operations/pause-subscription.ts';
import { resetSubscription } from '../../../operations/reset-subscription.ts';
import { resumeSubscription } from '../../../operations/resume-subscription.ts';
import { testSubscription } from '../../../operations/test-subscription.ts';
import { updateSubscription } from '../../../operations/update-subscription.ts';
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
    const { subscriptions, nextCursor } = listSubscriptions(context, ANONYMOUS, readList(request));
    return { data: subscriptions, nextCursor: nextCursor ?? null };
  });

  app.get<ById>('/subscriptions/:id', async (request) => getSubscription(context, ANONYMOUS, request.params.id));

  app.patch<ById>('/subscriptions/:id', async (request, reply) => {
    const changes = await readJsonBody(request, reply, bodies);
    return updateSubscription(context, ANONYMOUS, request.params.id, changes);
  });

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

  app.post<ById>('/subscriptions/:id/reset', async (request, reply) =>
    resetSubscription(context, ANONYMOUS, request.params.id, await readJsonBody(request, reply, bodies)),
  );

  app.post<ById>('/subscriptions/:id/test', async (request) => testSubscription(context, ANONYMOUS, request.params.id));
}

function readList(request: FastifyRequest): ListSubscriptionsInput {
  const parameters = new QueryParameters(request);
  const input = {
    limit: parameters.wholeNumber('limit'),
    cursor: parameters.one('cursor'),
    name: parameters.one('name'),
    subscriber: parameters.one('subscriber', 'subscriberId', 'serviceName'),
    state: parameters.oneOf('state', 'active', 'paused', 'stopped'),
  };
  parameters.assertEmpty();
  return input;
}
