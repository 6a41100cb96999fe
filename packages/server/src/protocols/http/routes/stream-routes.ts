import type { OutgoingHttpHeaders } from 'node:http';
import {
  ANONYMOUS,
  decodeCursor,
  type JsonValue,
  type Limits,
  parseJson,
  parsePattern,
  type RelevanceContextIn,
  type StreamRequest,
} from '@event-manager/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { closeStream, openStream } from '../../../operations/open-stream.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { QueryParameters } from '../query-parameters.ts';
import { SSE_HEADERS, type SseSettings, sendStream } from '../sse.ts';

export interface StreamSettings extends SseSettings {
  /** So many may be open at once. */
  readonly streamsMax: number;
}

export function streamRoutes(app: FastifyInstance, context: OperationContext, settings: StreamSettings): void {
  const { limits } = context.engine;

  app.head('/events/stream', async (_request, reply) => reply.headers(SSE_HEADERS).send());

  app.get('/events/stream', { exposeHeadRoute: false }, async (request, reply) => {
    const wanted = { ...readStreamRequest(request, limits), streamsMax: settings.streamsMax };
    const stream = await openStream(context, ANONYMOUS, wanted);
    reply.hijack();
    try {
      // What the reply was given before it was taken over, such as the leave of another origin.
      await sendStream(stream, reply.raw, settings, { ...reply.getHeaders() } as OutgoingHttpHeaders);
    } catch (error) {
      // The headers are gone: all that can be said is to stop. The client comes back with its cursor and is told then.
      request.log.error({ err: error }, 'stream failed');
      reply.raw.destroy();
    } finally {
      closeStream(context, stream);
    }
  });
}

function readStreamRequest(request: FastifyRequest, limits: Limits): StreamRequest {
  const parameters = new QueryParameters(request);
  const topics = parameters.many('topic');
  const filter = parameters.one('filter');
  const context = parameters.one('context');
  const subscriber = parameters.one('subscriber', 'subscriberId', 'serviceName');
  const from = readStart(request, parameters);
  parameters.assertEmpty();
  for (const topic of topics ?? []) parsePattern(topic, limits, '/topic');
  return {
    ...(topics === undefined ? {} : { topics }),
    ...(filter === undefined ? {} : { filter: readJson(filter, limits, '/filter') }),
    ...(context === undefined ? {} : { context: readJson(context, limits, '/context') as RelevanceContextIn }),
    ...(subscriber === undefined ? {} : { subscriber }),
    ...(from === undefined ? {} : { from }),
  };
}

function readJson(text: string, { depthMax }: Limits, pointerPrefix: string): JsonValue {
  return parseJson(text, { depthMax, pointerPrefix });
}

/** A client that comes back names its last event in a header, which beats what its address says (HTML, section 9.2). */
function readStart(request: FastifyRequest, parameters: QueryParameters): string | undefined {
  const from = parameters.one('from');
  const cursor = parameters.one('cursor');
  const header = request.headers['last-event-id'];
  if (typeof header === 'string' && header !== '') {
    decodeCursor(header, '/last-event-id');
    return header;
  }
  if (cursor !== undefined) decodeCursor(cursor, '/cursor');
  return cursor ?? from;
}
