/** What a source gives until the signal is aborted, also while it gives nothing. The source itself is left as it is. */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const values = source[Symbol.asyncIterator]();
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined));
  });
  for (;;) {
    const next = await Promise.race([values.next(), aborted]);
    if (next === undefined || next.done === true || signal.aborted) return;
    yield next.value;
  }
}
