import type { Timers } from '@event-manager/core';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** A connection that is closed while bytes arrive is reset, and with it the answer that the client has not read yet. */
const LINGER_MS = 1_000;

/** Ends the connection behind the answer when the body was not read to its end: nobody knows how long it goes on. */
export function closeUnread(request: FastifyRequest, reply: FastifyReply, timers: Timers): void {
  const { raw } = request;
  const { socket } = raw;
  reply.raw.once('finish', () => {
    if (raw.complete || socket.destroyed) return;
    raw.resume();
    socket.end();
    const cancel = timers.after(LINGER_MS, () => socket.destroy());
    socket.once('close', cancel);
  });
}
