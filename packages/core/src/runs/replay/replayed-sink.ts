import type { ReplayMark, Sink } from '../../contracts/sink.ts';

/**
 * A way out as a replay uses it: as it is at that moment, with every delivery marked. Nobody is told through it that there is room
 * again: where it is shared, the gates of the subscription itself hold the replay back, too.
 */
export function replayedSink(way: () => Sink, replay: ReplayMark): Sink {
  return {
    get single() {
      return way().single === true;
    },
    get keepsTime() {
      return way().keepsTime === true;
    },
    get isUp() {
      return way().isUp !== false;
    },
    deliver: (batch, options) =>
      way().deliver(
        batch.map((delivery) => ({ ...delivery, replay })),
        options,
      ),
    close: async () => {},
  };
}
