import { isIP } from 'node:net';
import { isEventManagerError } from '@event-manager/core';
import { type FastifyInstance, fastify } from 'fastify';
import { TaskRefused } from '../tasks/task-refused.ts';

const BODY_BYTES_MAX = 256 * 1_024;
/** A request that comes a byte at a time would hold its connection for ever. */
const REQUEST_MS_MAX = 30_000;

/** Answers what went wrong as a problem document, and what is a defect of ours without its details. */
export function httpServer(onFailure: (error: unknown) => void): FastifyInstance {
  const app = fastify({ bodyLimit: BODY_BYTES_MAX, requestTimeout: REQUEST_MS_MAX, forceCloseConnections: true });
  app.setErrorHandler((error, _request, reply) => {
    const { status, code, detail, details } = problemOf(error, onFailure);
    reply
      .code(status)
      .type('application/problem+json')
      .send({ status, code, detail, ...details });
  });
  // A page whose name was made to mean this machine after it was loaded could do everything that its user can.
  app.addHook('onRequest', (request, _reply, done) => {
    const name = request.hostname.replace(/^\[|\]$/g, '');
    if (name === 'localhost' || isIP(name) !== 0) done();
    else done(new TaskRefused('not_permitted', 'Ask for localhost or an address.'));
  });
  app.setNotFoundHandler((_request, reply) => {
    reply
      .code(404)
      .type('application/problem+json')
      .send({ status: 404, code: 'not_found', detail: 'Nothing is here.' });
  });
  return app;
}

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export function problemOf(error: unknown, onFailure: (error: unknown) => void): Problem {
  if (error instanceof TaskRefused) {
    return { status: error.status, code: error.code, detail: error.message, details: error.details };
  }
  const {
    statusCode = 500,
    code = 'internal',
    message = '',
  } = (error ?? {}) as {
    statusCode?: number;
    code?: string;
    message?: string;
  };
  // What the framework refuses: a body that is no JSON, or too large.
  if (statusCode >= 400 && statusCode < 500) return { status: statusCode, code: code.toLowerCase(), detail: message };
  onFailure(error);
  if (isEventManagerError(error) && error.retryable) return { status: 503, code: error.code, detail: error.message };
  return { status: 500, code: 'internal', detail: 'Something failed here.' };
}
