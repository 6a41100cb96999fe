import type { Event, ProjectionDefinition } from '@event-manager/core';

export interface Counted {
  readonly count: number;
  /** Of the numbers in their order: one that is left out, doubled or out of its place makes it another one. */
  readonly digest: number;
  readonly last: number;
}

/** A fold that tells every fault: shared by the program that is killed and by whoever looks afterwards. */
export const COUNTED = {
  name: 'counted',
  topic: 'counted.#',
  key: ({ topic }: Event) => topic,
  initial: { count: 0, digest: 7, last: -1 },
  apply: ({ count, digest }: Counted, { payload }: Event): Counted => {
    const last = payload['n'] as number;
    return { count: count + 1, digest: (digest * 31 + last) % 1_000_000_007, last };
  },
  snapshotEvery: 25,
} satisfies ProjectionDefinition<Counted>;
