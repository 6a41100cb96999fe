import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorOf, PROBLEM_TYPE, problemOf, retryAfterSeconds } from './problem.ts';
import type { RefusalLog } from './refusal-log.ts';

/** Answers with a problem. What is our fault is logged with its cause; nothing of the body is. */
export function sendProblem(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  refusals: RefusalLog,
): FastifyReply {
  const error = errorOf(thrown);
  const problem = problemOf(error, request.id);
  if (problem.status === 503) {
    refusals.refused(error);
  } else if (problem.status >= 500) {
    const err = error.kind === 'internal' ? (error.cause ?? error) : error;
    request.log.error({ err, code: error.code, method: request.method, route: request.routeOptions.url }, 'failed');
  }
  const seconds = retryAfterSeconds(error);
  if (seconds !== undefined) reply.header('retry-after', String(seconds));
  return reply.code(problem.status).header('content-type', PROBLEM_TYPE).send(JSON.stringify(problem));
}
