import { orAborted } from './or-aborted.ts';

/** What a source gives until the signal is aborted, also while it gives nothing. The source itself is left as it is. */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const values = source[Symbol.asyncIterator]();
  for (;;) {
    const next = await orAborted(values.next(), signal);
    if (next === undefined || next.done === true || signal.aborted) return;
    yield next.value;
  }
}
