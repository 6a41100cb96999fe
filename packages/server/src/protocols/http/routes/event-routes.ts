import { ANONYMOUS } from '@event-manager/core';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { findEvents } from '../../../operations/find-events.ts';
import { getEvent } from '../../../operations/get-event.ts';
import { getEventGraph } from '../../../operations/get-event-graph.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { publishEvent } from '../../../operations/publish-event.ts';
import { answerEvents } from '../answer-events.ts';
import { type JsonBodies, readEventBody } from '../json-body.ts';
import { QueryParameters } from '../query-parameters.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

export function eventRoutes(app: FastifyInstance, context: OperationContext, bodies: JsonBodies): void {
  app.post('/events', async (request, reply) => {
    const published = await publishEvent(context, ANONYMOUS, await readEventBody(request, reply, bodies));
    const status = published.duplicate ? 200 : published.scheduledFor === undefined ? 201 : 202;
    return json(reply.code(status), JSON.stringify(published));
  });

  app.get('/events', async (request, reply) =>
    answerEvents(request, reply, (input) => findEvents(context, ANONYMOUS, input)),
  );

  app.get<{ Params: { id: string } }>('/events/:id', async (request, reply) => {
    const record = await getEvent(context, ANONYMOUS, request.params.id);
    return json(reply, Buffer.from(record.body.buffer, record.body.byteOffset, record.body.byteLength));
  });

  app.get<{ Params: { id: string } }>('/events/:id/graph', async (request) => {
    const parameters = new QueryParameters(request);
    const bounds = { depth: parameters.wholeNumber('depth'), eventsMax: parameters.wholeNumber('eventsMax') };
    parameters.assertEmpty();
    return getEventGraph(context, ANONYMOUS, request.params.id, bounds);
  });
}

function json(reply: FastifyReply, body: string | Buffer): FastifyReply {
  return reply.header('content-type', JSON_TYPE).send(body);
}
