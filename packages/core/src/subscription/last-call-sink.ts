import type { Outcome, Sink } from '../contracts/sink.ts';

/**
 * Closes `sink` after its last call ended, as the contract promises. An attempt that was given up may still be inside, and
 * nobody knows for how long: so whoever closes does not wait for it, and a failure then goes to `onFailure`.
 */
export function lastCallSink(sink: Sink, onFailure: (error: unknown) => void): Sink {
  let underWay = 0;
  let isClosing = false;
  const ended = () => {
    underWay--;
    if (isClosing && underWay === 0) sink.close().catch(onFailure);
  };
  return {
    ...(sink.single === undefined ? {} : { single: sink.single }),
    deliver(batch, options) {
      underWay++;
      let answer: readonly Outcome[] | Promise<readonly Outcome[]> = [];
      try {
        answer = sink.deliver(batch, options);
      } finally {
        if (answer instanceof Promise) answer.then(ended, ended);
        else ended();
      }
      return answer;
    },
    async close() {
      isClosing = true;
      if (underWay === 0) await sink.close();
    },
  };
}
