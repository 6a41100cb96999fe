import { ANONYMOUS } from '@event-manager/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { listProjectionKeys, listProjections } from '../../../operations/list-projections.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { QueryParameters } from '../query-parameters.ts';

interface ByName {
  readonly Params: { readonly name: string };
}

/** What projections keep. Folding is for programs: their functions are nothing that a request could bring along. */
export function projectionRoutes(app: FastifyInstance, context: OperationContext): void {
  const { kept } = context.engine.projections;

  app.get('/projections', async (request) => {
    const { projections, nextCursor } = await listProjections(context, ANONYMOUS, pageOf(request));
    return { data: projections, nextCursor: nextCursor ?? null };
  });

  app.get<ByName>('/projections/:name', async (request) => kept.get(ANONYMOUS, request.params.name));

  app.get<ByName>('/projections/:name/state', async (request) => {
    const parameters = new QueryParameters(request);
    const key = parameters.one('key');
    parameters.assertEmpty();
    return kept.state(ANONYMOUS, request.params.name, key);
  });

  app.get<ByName>('/projections/:name/keys', async (request) => {
    const { keys, nextCursor } = await listProjectionKeys(context, ANONYMOUS, request.params.name, pageOf(request));
    return { data: keys, nextCursor: nextCursor ?? null };
  });

  app.delete<ByName>('/projections/:name', async (request, reply) => {
    await kept.remove(ANONYMOUS, request.params.name);
    return reply.code(204).send();
  });
}

function pageOf(request: FastifyRequest): { limit: number | undefined; cursor: string | undefined } {
  const parameters = new QueryParameters(request);
  const page = { limit: parameters.wholeNumber('limit'), cursor: parameters.one('cursor') };
  parameters.assertEmpty();
  return page;
}
