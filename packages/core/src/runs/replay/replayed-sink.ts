import type { ReplayMark, Sink } from '../../contracts/sink.ts';
import type { ActiveSubscription } from '../../dispatch/active-subscription.ts';

/**
 * The way out of a subscription as its replay uses it: as it is at that moment, with every delivery marked. Nobody is told through
 * it that there is room again: the gates of the subscription itself hold the replay back, too.
 */
export function replayedSink(parent: ActiveSubscription, replay: ReplayMark): Sink {
  return {
    get single() {
      return parent.sink.single === true;
    },
    get keepsTime() {
      return parent.sink.keepsTime === true;
    },
    get isUp() {
      return parent.sink.isUp !== false;
    },
    deliver: (batch, options) =>
      parent.sink.deliver(
        batch.map((delivery) => ({ ...delivery, replay })),
        options,
      ),
    close: async () => {},
  };
}
