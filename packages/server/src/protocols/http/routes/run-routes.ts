import { ANONYMOUS } from '@event-manager/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { controlRun } from '../../../operations/control-run.ts';
import { getRun } from '../../../operations/get-run.ts';
import { listRuns, reportRun } from '../../../operations/list-runs.ts';
import type { OperationContext } from '../../../operations/operation-context.ts';
import { startReplay } from '../../../operations/start-replay.ts';
import { type JsonBodies, readJsonBody } from '../json-body.ts';
import { QueryParameters } from '../query-parameters.ts';

interface ById {
  readonly Params: { readonly id: string };
}

/** Replays, and what else takes its time: how far it is, and to have it stand still or end. */
export function runRoutes(app: FastifyInstance, context: OperationContext, bodies: JsonBodies): void {
  const replay = async (request: FastifyRequest, reply: FastifyReply) => {
    const { run, preview } = {
      run: undefined,
      ...(await startReplay(context, ANONYMOUS, await readJsonBody(request, reply, bodies))),
    };
    return preview ? reply.send(preview) : reply.code(202).header('location', `/runs/${run!.id}`).send(run);
  };
  app.post('/replays', replay);
  // The specification's name for it.
  app.post('/replay', replay);

  app.get('/runs', async (request) => {
    const parameters = new QueryParameters(request);
    const page = {
      limit: parameters.wholeNumber('limit'),
      cursor: parameters.one('cursor'),
      kind: parameters.oneOf('kind', 'replay', 'redrive', 'discard'),
    };
    parameters.assertEmpty();
    const { runs, nextCursor } = await listRuns(context, ANONYMOUS, page);
    return { data: runs, nextCursor: nextCursor ?? null };
  });

  app.get<ById>('/runs/:id', async (request) => getRun(context, ANONYMOUS, request.params.id));

  app.get<ById>('/runs/:id/report', async (request) => {
    const parameters = new QueryParameters(request);
    const page = { limit: parameters.wholeNumber('limit'), cursor: parameters.one('cursor') };
    parameters.assertEmpty();
    const { failures, nextCursor } = await reportRun(context, ANONYMOUS, request.params.id, page);
    return { data: failures, nextCursor: nextCursor ?? null };
  });

  for (const control of ['pause', 'resume', 'cancel'] as const) {
    app.post<ById>(`/runs/:id/${control}`, async (request) =>
      controlRun(context, ANONYMOUS, request.params.id, control),
    );
  }
}
