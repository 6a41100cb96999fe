import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EventsFound, FindEventsInput } from '../../operations/find-events.ts';
import { eventsPage } from './events-page.ts';
import { QueryParameters } from './query-parameters.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Reads the parameters of a search, and answers with the page and a link to the next. */
export async function answerEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  find: (input: FindEventsInput) => Promise<EventsFound>,
): Promise<FastifyReply> {
  const parameters = new QueryParameters(request);
  const order = parameters.oneOf('order', 'asc', 'desc');
  const direction = parameters.oneOf('direction', 'forward', 'backward');
  const found = await find({
    limit: parameters.wholeNumber('limit'),
    cursor: parameters.one('cursor'),
    direction: direction ?? (order === 'desc' ? 'backward' : 'forward'),
    query: parameters.rest(),
  });
  if (found.nextCursor !== undefined) reply.header('link', nextLink(request.url, found.nextCursor));
  return reply.header('content-type', JSON_TYPE).send(eventsPage(found));
}

/** The same query from the next page's cursor (RFC 8288). */
function nextLink(url: string, cursor: string): string {
  const [path, query = ''] = url.split('?', 2);
  const parameters = new URLSearchParams(query);
  parameters.set('cursor', cursor);
  return `<${path}?${parameters}>; rel="next"`;
}
