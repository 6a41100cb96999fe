import { describe, expect, it } from 'vitest';
import { AGING_MS, runFlood, runOutage } from './patience.ts';
import { runTakeover } from './takeover.ts';

describe('a receiver that is away for longer than its retries last', () => {
  it('gets everything afterwards: what nobody could be asked costs nothing', async () => {
    expect(await runOutage()).toEqual({ delivered: 1, deadLetters: 0 });
  });

  it('loses it to the planted bug breaker-spends-retries', async () => {
    expect(await runOutage(['breaker-spends-retries'])).toEqual({ delivered: 0, deadLetters: 1 });
  });
});

describe('an event that is not urgent, beside urgent ones without end', () => {
  it('comes when it has aged by three lanes', async () => {
    expect(await runFlood()).toBeLessThanOrEqual(4 * AGING_MS);
  });

  it('starves under the planted bug aging-ignored', async () => {
    expect(await runFlood(['aging-ignored'])).toBe(Number.POSITIVE_INFINITY);
  });
});

const BUG = 'lease-by-wall-clock';

describe('a process that was stopped for three leases', () => {
  it(`goes on delivering under the planted bug ${BUG}`, async () => {
    let begun = 0;
    // Whether something waits to begin when it wakes up is a matter of the seed.
    for (let seed = 1; seed <= 8; seed++) begun += (await runTakeover(seed, 'stopped', [BUG])).begunByOthers;
    expect(begun).toBeGreaterThan(0);
  });
});
