import { EventManagerError } from '@event-manager/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** What fits into the buffers of a connection is gone at once, whoever reads. */
const SMALL_BYTES = 64 * 1024;
const RETRY_AFTER_MS = 1_000;

/**
 * Bounds what all answers hold that their clients have not taken yet. A page of events is up to 8 MiB: a thousand clients
 * that ask for one and do not read it would take the memory of the process, each within what it may do alone.
 */
export function holdAnswers(app: FastifyInstance, bytesMax: () => number): void {
  let held = 0;
  const hold = (
    _request: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
    done: (error: Error | null, payload?: unknown) => void,
  ) => {
    const bytes = bytesOf(payload);
    // Whoever went away before holds nothing, and its end would not be told again.
    if (bytes <= SMALL_BYTES || reply.raw.destroyed) {
      done(null, payload);
      return;
    }
    if (held + bytes > bytesMax()) {
      const words = 'Too many bytes of other answers are waiting to be read.';
      const details = { retryAfterMs: RETRY_AFTER_MS, limit: 'answersBytesMax', maximum: bytesMax() };
      done(new EventManagerError('overloaded', words, details));
      return;
    }
    held += bytes;
    reply.raw.once('close', () => {
      held -= bytes;
    });
    done(null, payload);
  };
  app.addHook('onRoute', (route) => {
    // Its answer is small, and it is asked ten thousand times a second.
    if (route.url === '/events' && route.method === 'POST') return;
    route.onSend = [hold, ...[route.onSend ?? []].flat()];
  });
}

/** A stream holds only what it has read. */
function bytesOf(payload: unknown): number {
  if (typeof payload === 'string')
    return payload.length <= SMALL_BYTES / 3 ? payload.length : Buffer.byteLength(payload);
  return payload instanceof Uint8Array ? payload.byteLength : 0;
}
