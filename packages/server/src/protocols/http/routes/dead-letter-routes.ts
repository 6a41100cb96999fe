import { ANONYMOUS } from '@event-manager/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { getDeadLetter } from '../../../operations/get-dead-letter.ts';
import {
  type DeadLettersFound,
  type DeadLettersPage,
  listDeadLetters,
  listDeadLettersOf,
} from '../../../operations/list-dead-letters.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { QueryParameters } from '../query-parameters.ts';

interface ById {
  readonly Params: { readonly id: string };
}

export function deadLetterRoutes(app: FastifyInstance, context: OperationContext): void {
  app.get('/dead-letters', async (request) => {
    const parameters = new QueryParameters(request);
    const subscriptionId = parameters.one('subscriptionId');
    return page(await listDeadLetters(context, ANONYMOUS, { ...readPage(parameters), subscriptionId }));
  });

  app.get<ById>('/dead-letters/:id', async (request) => getDeadLetter(context, ANONYMOUS, request.params.id));

  app.get<ById>('/subscriptions/:id/dead-letters', async (request: FastifyRequest<ById>) => {
    const wanted = readPage(new QueryParameters(request));
    return page(await listDeadLettersOf(context, ANONYMOUS, request.params.id, wanted));
  });
}

function readPage(parameters: QueryParameters): DeadLettersPage {
  const wanted = {
    limit: parameters.wholeNumber('limit'),
    cursor: parameters.one('cursor'),
    state: parameters.oneOf('state', 'open', 'redriven', 'discarded', 'superseded'),
  };
  parameters.assertEmpty();
  return wanted;
}

function page({ letters, nextCursor }: DeadLettersFound): object {
  return { data: letters, nextCursor: nextCursor ?? null };
}
