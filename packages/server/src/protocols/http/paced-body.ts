/**
 * A body of any length, read as fast as somebody takes it, in few pieces.
 *
 * Node keeps every chunk of a body that nobody takes as an object of its own: sixty-five thousand chunks of one byte took
 * 80 MB of resident memory for one connection. So chunks are put together as they come, and when enough is waiting the connection itself is not
 * read any more. That is done in a later turn: what was read from it already is still cut into chunks in this one, and after
 * each the stream asks for more, which would begin the reading again.
 *
 *     flowing ──enough waits──▶ held ──somebody takes it──▶ flowing
 *
 * A connection that is held when the body is given up is let go: its rest is for whoever closes it.
 */
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { EventManagerError, type Timers } from '@event-manager/core';
import type { BodyBudget } from './body-budget.ts';
import { ByteCollector } from './byte-collector.ts';

export interface PacedBodyOptions {
  /** The connection that the body comes from. */
  readonly socket: Socket;
  readonly budget: BodyBudget;
  readonly timers: Timers;
}

/** As much as Node reads from a connection at once: with less every read would be one that is waited for. */
const WAITING_BYTES_MAX = 64 * 1024;

/** Yields what has come since the last piece. Throws `overloaded`, and `invalid_request` when the body breaks off. */
export async function* pacedBody(
  body: Readable,
  { socket, budget, timers }: PacedBodyOptions,
): AsyncGenerator<Uint8Array> {
  const waiting = new ByteCollector(budget);
  let isEnded = false;
  let fault: unknown;
  let isHeld = false;
  let wake = () => {};
  const hold = () => {
    if (isHeld) socket.pause();
  };
  const onData = (chunk: Uint8Array) => {
    try {
      waiting.add(chunk);
    } catch (error) {
      fault ??= error;
    }
    if (waiting.length >= WAITING_BYTES_MAX && !isHeld) {
      isHeld = true;
      timers.soon(hold);
    }
    wake();
  };
  const onEnd = () => {
    isEnded = true;
    wake();
  };
  const onBroken = () => {
    if (!isEnded) fault ??= new EventManagerError('invalid_request', 'The body ended too early.');
    wake();
  };
  const letGo = () => {
    if (isHeld) socket.resume();
    isHeld = false;
  };
  body.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
  if (body.destroyed) onBroken();
  try {
    for (;;) {
      if (waiting.length > 0) {
        const { bytes } = waiting;
        waiting.clear();
        letGo();
        yield bytes;
      } else if (fault !== undefined) {
        throw fault;
      } else if (isEnded) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    body.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
    // An error that comes later is nobody's any more, and must not end the process.
    body.on('error', () => {});
    waiting.clear();
    letGo();
  }
}
