import { Readable } from 'node:stream';
import { ANONYMOUS, type Timers } from '@event-manager/core';
import type { FastifyInstance } from 'fastify';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { publishBatch } from '../../../operations/publish-batch.ts';
import { batchAnswer } from '../batch-answer.ts';
import type { BodyBudget } from '../body-budget.ts';
import { closeUnread } from '../close-unread.ts';
import { assertPlain, readJsonBody } from '../json-body.ts';
import { answerNdjson } from '../ndjson-batch.ts';
import { pacedBody } from '../paced-body.ts';

const NDJSON_TYPE = 'application/x-ndjson';

export interface BatchSettings {
  readonly timers: Timers;
  readonly budget: BodyBudget;
}

/** To be registered in a scope of its own: only here a body may be newline-delimited JSON of any length. */
export function batchRoutes(app: FastifyInstance, context: OperationContext, { timers, budget }: BatchSettings): void {
  const { limits } = context.engine;
  app.addContentTypeParser(NDJSON_TYPE, (_request, body, done) => done(null, body));

  app.post('/events/batch', async (request, reply) => {
    if (!(request.body instanceof Readable)) {
      const events = await readJsonBody(request, reply, { limits, budget });
      const results = await publishBatch(context, ANONYMOUS, events);
      const { status, body } = batchAnswer(results, request.id);
      return reply.code(status).send(body);
    }
    assertPlain(request);
    closeUnread(request, reply, timers);
    const answer = answerNdjson({
      // The end of reading is not the end of the connection: the last line of the answer has to get out.
      body: pacedBody(request.body, { socket: request.raw.socket, budget, timers }),
      limits,
      budget,
      requestId: request.id,
      publish: (events) => publishBatch(context, ANONYMOUS, events),
      refused: (code) => context.engine.countRejected(code),
      pause: (delayMs) => new Promise((resolve) => void timers.after(delayMs, resolve)),
      nextTurn: () => new Promise((resolve) => timers.soon(resolve)),
    });
    return reply
      .code(207)
      .header('content-type', NDJSON_TYPE)
      .send(Readable.from(answer, { objectMode: false }));
  });
}
