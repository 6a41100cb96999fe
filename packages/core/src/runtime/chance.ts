import { randomFillSync } from 'node:crypto';

/** Every random choice of the product, so that the simulation can seed it. */
export interface Chance {
  /** A number in [0, 1), for jitter and sampling. */
  fraction(): number;
  /** Fills `into` with bytes fit for identifiers and tokens. */
  fill(into: Uint8Array): void;
}

const POOL_BYTES = 4096;
const pool = new Uint8Array(POOL_BYTES);
let poolUsed = POOL_BYTES;

/** Randomness of the operating system, drawn 4 KiB at a time: one system call serves hundreds of identifiers. */
export const systemChance: Chance = {
  fraction: () => Math.random(),
  fill(into) {
    if (into.length > POOL_BYTES) {
      randomFillSync(into);
      return;
    }
    if (poolUsed + into.length > POOL_BYTES) {
      randomFillSync(pool);
      poolUsed = 0;
    }
    into.set(pool.subarray(poolUsed, poolUsed + into.length));
    pool.fill(0, poolUsed, poolUsed + into.length);
    poolUsed += into.length;
  },
};
