import { describe, expect, it } from 'vitest';
import { runKeyedOrder } from './keyed-order-run.ts';

const SOUND = { inversions: 0, lost: 0, repeatedAttempts: 0 };
const FULL = process.env['KEYED_ORDER'] === 'full';

describe('keyed order with a receiver that fails often and a process that ends often', () => {
  it('inverts nothing, loses nothing, and makes no key wait for another one', { timeout: 600_000 }, async () => {
    const size = FULL ? { events: 100_000, keys: 1_000, restarts: 50 } : { events: 10_000, keys: 100, restarts: 10 };
    const result = await runKeyedOrder({ ...size, failureShare: 0.2, seed: 1 });
    process.stdout.write(`${JSON.stringify({ test: 'keyed order', ...size, ...result })}\n`);
    expect(result).toMatchObject(SOUND);
    expect(result.waitMsMax).toBeLessThanOrEqual(200);
  });

  it('does so when lanes, memory and windows are small', { timeout: 600_000 }, async () => {
    const limits = { laneEntriesMax: 16, inFlightMax: 16, queueMaxSize: 16 };
    const result = await runKeyedOrder({
      ...{ events: 2_000, keys: 20, restarts: 10, failureShare: 0.2, seed: 2 },
      ...{ limits, options: { maxConcurrency: 10, inFlightMax: 16 } },
    });
    process.stdout.write(`${JSON.stringify({ test: 'keyed order, small', ...result })}\n`);
    expect(result).toMatchObject(SOUND);
  });
});
