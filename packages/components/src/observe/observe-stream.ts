import { errorMonitor } from 'node:events';
import type { Readable } from 'node:stream';
import type { ComponentRun } from './component-run.ts';

/** Listens without reading, and to errors without handling them: a stream that nobody handles still ends the process. */
export function observeReadable(stream: Readable, run: ComponentRun): Readable {
  stream.on(errorMonitor, (error) => run.failed(error));
  stream.once('end', () => run.completed(undefined));
  stream.once('close', () => run.completed(undefined, { ended: 'left' }));
  return stream;
}

/** A stream of the web is locked by whoever reads it: what the caller gets is another one, which reads it as it is read itself. */
export function observeWebStream(stream: ReadableStream<unknown>, run: ComponentRun): ReadableStream<unknown> {
  const reader = stream.getReader();
  let items = 0;
  const source = {
    async pull(controller: ReadableStreamDefaultController<unknown>) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          run.completed(undefined, { items });
          controller.close();
          return;
        }
        items++;
        controller.enqueue(value);
      } catch (error) {
        run.failed(error, { items });
        controller.error(error);
      }
    },
    cancel(reason: unknown) {
      run.completed(undefined, { items, ended: 'left' });
      return reader.cancel(reason);
    },
  };
  // Nothing is read ahead of the caller.
  return new ReadableStream(source, { highWaterMark: 0 });
}
