import { ANONYMOUS } from '@event-manager/core';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { findEvents } from '../../../operations/find-events.ts';
import { getEvent } from '../../../operations/get-event.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { publishEvent } from '../../../operations/publish-event.ts';
import { eventsPage } from '../events-page.ts';
import { type JsonBodies, readEventBody } from '../json-body.ts';
import { QueryParameters } from '../query-parameters.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

export function eventRoutes(app: FastifyInstance, context: OperationContext, bodies: JsonBodies): void {
  app.post('/events', async (request, reply) => {
    const published = await publishEvent(context, ANONYMOUS, await readEventBody(request, reply, bodies));
    return json(reply.code(published.duplicate ? 200 : 201), JSON.stringify(published));
  });

  app.get('/events', async (request, reply) => {
    const parameters = new QueryParameters(request);
    const order = parameters.oneOf('order', 'asc', 'desc');
    const direction = parameters.oneOf('direction', 'forward', 'backward');
    const found = await findEvents(context, ANONYMOUS, {
      limit: parameters.wholeNumber('limit'),
      cursor: parameters.one('cursor'),
      direction: direction ?? (order === 'desc' ? 'backward' : 'forward'),
      query: parameters.rest(),
    });
    if (found.nextCursor !== undefined) reply.header('link', nextLink(request.url, found.nextCursor));
    return json(reply, eventsPage(found));
  });

  app.get<{ Params: { id: string } }>('/events/:id', async (request, reply) => {
    const record = await getEvent(context, ANONYMOUS, request.params.id);
    return json(reply, Buffer.from(record.body.buffer, record.body.byteOffset, record.body.byteLength));
  });
}

function json(reply: FastifyReply, body: string | Buffer): FastifyReply {
  return reply.header('content-type', JSON_TYPE).send(body);
}

/** The same query from the next page's cursor (RFC 8288). */
function nextLink(url: string, cursor: string): string {
  const parameters = new URLSearchParams(url.split('?', 2)[1] ?? '');
  parameters.set('cursor', cursor);
  return `</events?${parameters}>; rel="next"`;
}
