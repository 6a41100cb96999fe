import { describe, expect, it, onTestFinished } from 'vitest';
import { clientOf } from '../support/client-of.ts';
import { runService } from '../support/run-service.ts';
import { until } from '../support/until.ts';

const ENDPOINT = 'ws://127.0.0.1:9/';

async function service() {
  const running = await runService({ webhookAllow: ['loopback'] });
  onTestFinished(() => running.stop());
  return running;
}

/** Whoever looks on would take its silence for that of the bus, or be told what is none of its business. */
describe('handlers of a stream whose endpoint the service dials', () => {
  it('see the events that its endpoint is sent, and no others', async () => {
    const client = clientOf(await service());
    await client.registerContext('desk', { userIds: ['u-1'] });
    const filters = { userRelevant: true };
    const request = { subscriberId: 'desk', endpoint: ENDPOINT, filters, options: { priority: 'HIGH' as const } };
    const seen: unknown[] = [];
    const stream = await client.createRealtimeStream(request);
    stream.onEvent(({ payload }) => void seen.push(payload['n']));
    const publish = (n: number | 'begun', userId: string, priority: 'HIGH' | 'LOW') =>
      client.publish({ type: 'a', source: 's', priority, metadata: { userId }, payload: { n } });
    while (!seen.includes('begun')) await publish('begun', 'u-1', 'HIGH');
    await publish(1, 'u-2', 'HIGH');
    await publish(2, 'u-1', 'LOW');
    await publish(3, 'u-1', 'HIGH');
    await until('the last is seen', () => seen.includes(3));
    expect(seen.filter((n) => n !== 'begun')).toEqual([3]);
  });

  it('go on after one that throws, which is told', async () => {
    const errors: unknown[] = [];
    const client = clientOf(await service(), { onError: (error) => errors.push(error) });
    const stream = await client.createRealtimeStream({ subscriberId: 'desk', endpoint: ENDPOINT });
    let calls = 0;
    stream.onEvent(() => {
      calls++;
      if (calls === 1) throw new TypeError('no lamp');
    });
    await until('it is seen again', async () => {
      await client.publish({ type: 'a', source: 's' });
      return calls > 1;
    });
    expect(errors).toMatchObject([{ message: 'no lamp' }]);
  });
});
