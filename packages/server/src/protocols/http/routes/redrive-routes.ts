import { ANONYMOUS, EventManagerError, type JsonValue, type Principal } from '@event-manager/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { discardDeadLetters } from '../../../operations/discard-dead-letters.ts';
import { groupDeadLetters } from '../../../operations/group-dead-letters.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { redriveDeadLetters } from '../../../operations/redrive-dead-letters.ts';
import { type JsonBodies, readJsonBody } from '../json-body.ts';
import { QueryParameters } from '../query-parameters.ts';

interface ById {
  readonly Params: { readonly id: string };
}

type Operation = (context: OperationContext, principal: Principal, request: unknown) => Promise<object>;

const ACCEPTED = 202;

/** What is done with dead letters. Over HTTP a run is accepted, not done: it goes on by itself. */
export function redriveRoutes(app: FastifyInstance, context: OperationContext, bodies: JsonBodies): void {
  app.get('/dead-letters/groups', async (request) => {
    const parameters = new QueryParameters(request);
    const subscriptionId = parameters.one('subscriptionId');
    parameters.assertEmpty();
    const { groups, complete } = await groupDeadLetters(context, ANONYMOUS, subscriptionId);
    return { data: groups, complete };
  });

  for (const [word, operation] of Object.entries({ redrive: redriveDeadLetters, discard: discardDeadLetters })) {
    const start = operation as Operation;
    app.post(`/dead-letters/${word}`, async (request, reply) =>
      answer(reply, await start(context, ANONYMOUS, await readJsonBody(request, reply, bodies))),
    );
    app.post<ById>(`/dead-letters/:id/${word}`, async (request, reply) => {
      const wanted = await optionalBody(request, reply, bodies);
      return answer(reply, await start(context, ANONYMOUS, withId(wanted, request.params.id)));
    });
  }
}

/** A run has begun; what only was looked at is there at once. */
function answer(reply: FastifyReply, result: object): object {
  if ('words' in result) reply.code(ACCEPTED);
  return result;
}

async function optionalBody(request: FastifyRequest, reply: FastifyReply, bodies: JsonBodies): Promise<JsonValue> {
  return request.body === undefined ? {} : readJsonBody(request, reply, bodies);
}

function withId(wanted: JsonValue, id: string): JsonValue {
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) {
    throw new EventManagerError('invalid_run', 'An object is expected here.', { pointer: '' });
  }
  return { id, ...wanted };
}
