import { ANONYMOUS } from '@event-manager/core';
import type { FastifyInstance } from 'fastify';
import { addTopicSchema } from '../../../operations/add-topic-schema.ts';
import { createTopic } from '../../../operations/create-topic.ts';
import { findTopicEvents } from '../../../operations/find-topic-events.ts';
import { getTopic } from '../../../operations/get-topic.ts';
import { listRejections } from '../../../operations/list-rejections.ts';
import { listTopics } from '../../../operations/list-topics.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { removeTopic } from '../../../operations/remove-topic.ts';
import { answerEvents } from '../answer-events.ts';
import { type JsonBodies, readJsonBody } from '../json-body.ts';
import { QueryParameters } from '../query-parameters.ts';

interface ByTopic {
  /** In either spelling; `/` inside is written `%2F`. */
  readonly Params: { readonly topic: string };
}

export function topicRoutes(app: FastifyInstance, context: OperationContext, bodies: JsonBodies): void {
  app.post('/topics', async (request, reply) => {
    const wanted = await readJsonBody(request, reply, bodies);
    const { topic, created } = await createTopic(context, ANONYMOUS, wanted);
    return reply
      .code(created ? 201 : 200)
      .header('location', `/topics/${encodeURIComponent(topic.topic)}`)
      .send(topic);
  });

  app.get('/topics', async (request) => {
    const parameters = new QueryParameters(request);
    const page = { limit: parameters.wholeNumber('limit'), cursor: parameters.one('cursor') };
    parameters.assertEmpty();
    const { topics, nextCursor } = listTopics(context, ANONYMOUS, page);
    return { data: topics, nextCursor: nextCursor ?? null };
  });

  app.get<ByTopic>('/topics/:topic', async (request) => getTopic(context, ANONYMOUS, request.params.topic));

  app.delete<ByTopic>('/topics/:topic', async (request, reply) => {
    await removeTopic(context, ANONYMOUS, request.params.topic);
    return reply.code(204).send();
  });

  app.post<ByTopic>('/topics/:topic/schemas', async (request, reply) => {
    const wanted = await readJsonBody(request, reply, bodies);
    const { topic, added } = await addTopicSchema(context, ANONYMOUS, request.params.topic, wanted);
    return reply.code(added ? 201 : 200).send(topic);
  });

  app.get<ByTopic>('/topics/:topic/events', async (request, reply) =>
    answerEvents(request, reply, (input) => findTopicEvents(context, ANONYMOUS, request.params.topic, input)),
  );

  app.get('/rejections', async () => listRejections(context, ANONYMOUS));
}
