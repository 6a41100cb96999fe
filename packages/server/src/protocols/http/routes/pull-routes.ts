import { ANONYMOUS } from '@event-manager/core';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { acknowledgeDeliveries, extendDeliveries, refuseDeliveries } from '../../../operations/answer-deliveries.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { pullDeliveries, releaseDeliveries } from '../../../operations/pull-deliveries.ts';
import { type JsonBodies, readJsonBody } from '../json-body.ts';
import { pulledDeliveries } from '../pulled-deliveries.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

interface ById {
  readonly Params: { readonly id: string };
}

export function pullRoutes(app: FastifyInstance, context: OperationContext, bodies: JsonBodies): void {
  app.post<ById>('/subscriptions/:id/pull', async (request, reply) => {
    const wanted = await readJsonBody(request, reply, bodies);
    const { id } = request.params;
    const gone = goneWith(reply);
    const leases = await pullDeliveries(context, ANONYMOUS, id, wanted, gone);
    // Written is not received, but what was not even written comes to somebody else at once and not after its time.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished || reply.statusCode !== 200) releaseDeliveries(context, id, leases);
    });
    if (gone.aborted) releaseDeliveries(context, id, leases);
    return reply.header('content-type', JSON_TYPE).send(pulledDeliveries(leases));
  });

  app.post<ById>('/subscriptions/:id/ack', async (request, reply) => {
    const wanted = await readJsonBody(request, reply, bodies);
    return acknowledgeDeliveries(context, ANONYMOUS, request.params.id, wanted);
  });

  app.post<ById>('/subscriptions/:id/nack', async (request, reply) => {
    const wanted = await readJsonBody(request, reply, bodies);
    return refuseDeliveries(context, ANONYMOUS, request.params.id, wanted);
  });

  app.post<ById>('/subscriptions/:id/extend', async (request, reply) => {
    const wanted = await readJsonBody(request, reply, bodies);
    const { stale, leaseUntilMs } = await extendDeliveries(context, ANONYMOUS, request.params.id, wanted);
    return { stale, leaseUntil: new Date(leaseUntilMs).toISOString() };
  });
}

/** Aborted when the connection of the request is lost before its answer. */
function goneWith(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  if (reply.raw.destroyed) gone.abort();
  else reply.raw.once('close', () => gone.abort());
  return gone.signal;
}
