/**
 * What the promise gives, or nothing when the signal is aborted before. `Promise.race` against one promise for the whole of a
 * command would keep everything that ever won: each race leaves its outcome with the promise that did not end.
 */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
