import type { ErrorCode } from '@event-manager/core';
import type { FastifyInstance } from 'fastify';
import type { OperationContext } from '../../operations/operation-context.ts';
import { errorOf } from './problem.ts';

const PUBLISHING: ReadonlySet<string> = new Set(['/events', '/events/batch']);
/** What a body is refused for before there is an event; everything later is counted by the engine. */
const BEFORE_AN_EVENT: ReadonlySet<ErrorCode> = new Set([
  'invalid_json',
  'too_deep',
  'body_too_large',
  'unsupported_media_type',
]);

/** A body that never became an event is a refused event to whoever watches the metrics. */
export function countRefusedBodies(app: FastifyInstance, { engine }: OperationContext): void {
  app.addHook('onError', (request, _reply, thrown, done) => {
    const { code } = errorOf(thrown);
    const isPublishing = request.method === 'POST' && PUBLISHING.has(request.routeOptions.url ?? '');
    if (isPublishing && BEFORE_AN_EVENT.has(code)) engine.countRejected(code);
    done();
  });
}
