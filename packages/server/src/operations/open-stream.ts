import { EventManagerError, type EventStream, type Principal, type StreamRequest } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

export interface OpenStreamInput extends StreamRequest {
  /** So many may be open at once. */
  readonly streamsMax: number;
}

/**
 * Opens a read of the log from a cursor that the client holds; whoever opened it calls `closeStream`. Throws
 * `invalid_pattern`, `invalid_filter`, `invalid_cursor`, `overloaded`.
 */
export async function openStream(
  context: OperationContext,
  principal: Principal,
  { streamsMax, ...request }: OpenStreamInput,
): Promise<EventStream> {
  const { engine, streams } = context;
  assertRoom(context, streamsMax);
  const stream = await engine.history.stream(principal, request);
  try {
    // Others were opened meanwhile.
    assertRoom(context, streamsMax);
  } catch (error) {
    stream.close();
    throw error;
  }
  streams.add(stream);
  return stream;
}

function assertRoom({ streams }: OperationContext, streamsMax: number): void {
  if (streams.size < streamsMax) return;
  throw new EventManagerError('overloaded', `${streams.size} streams are open already.`, { limit: 'streamsMax' });
}

export function closeStream({ streams }: OperationContext, stream: EventStream): void {
  streams.delete(stream);
  stream.close();
}
