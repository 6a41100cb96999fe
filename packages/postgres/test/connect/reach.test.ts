import { EventManagerError } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { Reach } from '../../src/connect/reach.ts';

const away = new EventManagerError('store_unavailable', 'PostgreSQL cannot be reached.');
const readOnly = new EventManagerError('store_unavailable', 'It cannot do this now.', { sqlState: '25006' });
const full = new EventManagerError('disk_full', 'The disk is full.');

function watched() {
  const time = new VirtualTime();
  const reach = new Reach(time);
  return { time, reach, status: () => reach.trouble()?.status ?? 'ok' };
}

describe('how the way to the server is', () => {
  it('a failure that is over at the next try is no trouble, one that lasts is, until something succeeds', async () => {
    const { time, reach, status } = watched();
    reach.failed(away);
    await time.advance(1_000);
    expect(status()).toBe('ok');
    reach.succeeded();
    await time.advance(10_000);
    reach.failed(away);
    await time.advance(1_000);
    reach.failed(away);
    await time.advance(1_500);
    expect(reach.trouble()).toEqual({ status: 'unavailable', reason: 'PostgreSQL cannot be reached.' });
    reach.succeeded();
    expect(status()).toBe('ok');
    expect([reach.errors, reach.lastError]).toEqual([{ store_unavailable: 3 }, undefined]);
  });

  it('a server that answers nobody is away before the first call has run out of time; one that answers others is slow', async () => {
    const { time, reach, status } = watched();
    const call = reach.began();
    await time.advance(2_500);
    expect(reach.trouble()).toEqual({ status: 'unavailable', reason: 'PostgreSQL does not answer.' });
    reach.succeeded();
    expect(status()).toBe('slow');
    reach.ended(call);
    expect(status()).toBe('ok');
  });

  it.each([
    ['full', full],
    ['unavailable', readOnly],
  ])(
    'a server that takes no writes stays %s although reads succeed, until it has not said so for a while',
    async (as, refusal) => {
      const { time, reach, status } = watched();
      reach.failed(refusal);
      reach.succeeded();
      expect(status()).toBe(as);
      await time.advance(9_000);
      reach.failed(refusal);
      await time.advance(9_000);
      reach.succeeded();
      expect(status()).toBe(as);
      await time.advance(2_000);
      expect(status()).toBe('ok');
    },
  );

  it('an answer that nobody foresaw is an answer', async () => {
    const { time, reach, status } = watched();
    reach.failed(new EventManagerError('store_failed', 'It refused.'));
    await time.advance(60_000);
    expect([status(), reach.errors]).toEqual(['ok', { store_failed: 1 }]);
  });
});
