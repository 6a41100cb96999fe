import {
  ANONYMOUS,
  EventManagerError,
  type Limits,
  parseJson,
  type StreamRequest,
  type Timers,
} from '@event-manager/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { openStream } from '../../../operations/open-stream.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { QueryParameters } from '../query-parameters.ts';
import { SSE_HEADERS, sendStream } from '../sse.ts';

export interface StreamSettings {
  readonly timers: Timers;
  readonly streamsMax: number;
  readonly heartbeatMs: number;
  readonly stallMs: number;
}

/** `onOpen` hears of every stream, so that a shutdown can end them. */
export function streamRoutes(
  app: FastifyInstance,
  context: OperationContext,
  settings: StreamSettings,
  open: Set<{ close(): void }>,
): void {
  app.head('/events/stream', async (_request, reply) => reply.headers(SSE_HEADERS).send());

  app.get('/events/stream', { exposeHeadRoute: false }, async (request, reply) => {
    if (open.size >= settings.streamsMax) {
      throw new EventManagerError('overloaded', `${open.size} streams are open already.`, { limit: 'streamsMax' });
    }
    const stream = await openStream(context, ANONYMOUS, readStreamRequest(request, context.engine.limits));
    reply.hijack();
    open.add(stream);
    try {
      await sendStream(stream, reply.raw, settings);
    } catch (error) {
      // The headers are gone: all that can be said is to stop. The client comes back with its cursor and is told then.
      request.log.error({ err: error }, 'stream failed');
      reply.raw.destroy();
    } finally {
      open.delete(stream);
      stream.close();
    }
  });
}

/** A client that comes back names its last event in a header, which beats what its address says (HTML, section 9.2). */
function readStreamRequest(request: FastifyRequest, limits: Limits): StreamRequest {
  const parameters = new QueryParameters(request);
  const topics = parameters.many('topic');
  const filter = parameters.one('filter');
  const from = parameters.one('from');
  const cursor = parameters.one('cursor');
  parameters.assertEmpty();
  const lastEventId = request.headers['last-event-id'];
  const start = typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : (cursor ?? from);
  return {
    ...(topics === undefined ? {} : { topics }),
    ...(filter === undefined
      ? {}
      : { filter: parseJson(filter, { depthMax: limits.depthMax, pointerPrefix: '/filter' }) }),
    ...(start === undefined ? {} : { from: start }),
  };
}
