import type { Readable } from 'node:stream';
import { EventManagerError } from '@event-manager/core';
import type { BodyBudget } from './body-budget.ts';
import { ByteCollector } from './byte-collector.ts';

export interface ReadBodyOptions {
  readonly bytesMax: number;
  /** What `content-length` announces; `undefined` when it does not. */
  readonly announced: number | undefined;
  readonly budget: BodyBudget;
  /** Makes the error of a body that is larger than `bytesMax`. */
  readonly tooLarge: () => EventManagerError;
}

/**
 * Reads a body as a whole, hands it to `use` and gives its memory back. Rejects with the error of `tooLarge` as soon as that
 * is known, with `overloaded` when the bodies of all requests hold too much, and with what `use` throws. Whoever gets an
 * error has not read the rest of the body.
 */
export async function readBody<Value>(
  body: Readable,
  options: ReadBodyOptions,
  use: (bytes: Uint8Array) => Value,
): Promise<Value> {
  if ((options.announced ?? 0) > options.bytesMax) throw options.tooLarge();
  const collector = new ByteCollector(options.budget);
  try {
    await collect(body, collector, options);
    return use(collector.bytes);
  } finally {
    collector.clear();
  }
}

/** By events: iterating would first queue the chunks, each with its own cost. */
function collect(body: Readable, collector: ByteCollector, { bytesMax, tooLarge }: ReadBodyOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: unknown) => {
      body.off('data', onData).off('end', end).off('error', onBroken).off('close', onBroken);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onData = (chunk: Uint8Array) => {
      try {
        if (collector.length + chunk.length > bytesMax) throw tooLarge();
        collector.add(chunk);
      } catch (error) {
        end(error);
      }
    };
    const onBroken = () => end(new EventManagerError('invalid_request', 'The body ended too early.'));
    body.on('data', onData).on('end', end).on('error', onBroken).on('close', onBroken);
    if (body.destroyed) onBroken();
  });
}
