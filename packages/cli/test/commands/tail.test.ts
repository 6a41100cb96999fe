import { describe, expect, it } from 'vitest';
import { run, start } from '../support/run.ts';
import { runningService } from '../support/service.ts';

describe('tail', () => {
  it('shows events as they arrive, until Ctrl-C, and says where to continue', async () => {
    const { url, em } = await runningService();
    const environment = { EVENT_MANAGER_URL: url };
    const watching = start(['tail', '--type', 'order.*'], { environment });
    await watching.shows('watching');
    await em(['publish', 'user.created']);
    await em(['publish', 'order.created', '{"n":1}', '--source', 'shop']);
    await watching.shows('"n":1');
    watching.interrupt();
    const { code, out, err } = await watching.result;
    expect(code).toBe(130);
    expect(out).toMatch(/^\S+ {2}NORMAL {4}order\.created {2}from shop {2}\S+ {2}\{"n":1\}\n$/);
    const [, cursor] = /to continue: --from (\S+)/.exec(err)!;
    await em(['publish', 'order.paid']);
    const later = await run(['tail', '--from', cursor!, '--count', '1', '--json'], { environment });
    expect(JSON.parse(later.out)).toMatchObject({
      kind: 'event',
      event: { type: 'order.paid' },
      cursor: expect.any(String),
    });
    expect([later.code, later.err]).toEqual([0, '']);
  });

  it('shows what is relevant to a subscriber', async () => {
    const { em } = await runningService();
    await em(['contexts', 'set', 'assistant', '--user', 'ada']);
    for (const userId of ['bob', 'ada']) {
      await em(['publish', '-'], { stdin: JSON.stringify({ type: 'a', source: 's', metadata: { userId } }) });
    }
    const filter = '{"user_relevant":true}';
    const args = ['tail', '--from', 'earliest', '--count', '1', '--filter', filter, '--json'];
    const first = async (...more: string[]) => JSON.parse((await em([...args, ...more])).out).event.metadata.userId;
    expect([await first(), await first('--subscriber', 'assistant')]).toEqual(['bob', 'ada']);
  });

  it('reads from the beginning, by topic, type and filter together', async () => {
    const { em } = await runningService();
    const publish = (type: string, ...more: string[]) => em(['publish', type, ...more]);
    await publish('order.created', '--topic', 'eu/orders', '--priority', 'HIGH');
    await publish('order.created', '--topic', 'us/orders', '--priority', 'HIGH');
    await publish('order.created', '--topic', 'eu/orders', '--priority', 'LOW');
    await publish('order.paid', '--topic', 'eu/orders', '--priority', 'CRITICAL');
    const filter = '{"priority":"HIGH"}';
    const args = [
      'tail',
      '--from',
      'earliest',
      '--count',
      '1',
      '--topic',
      'eu.*',
      '--type',
      '*.paid',
      '--filter',
      filter,
    ];
    const { out } = await em([...args, '--json']);
    expect(JSON.parse(out).event).toMatchObject({ type: 'order.paid', topic: 'eu/orders' });
    expect((await em(['tail', '--filter', '{"colour":1}'])).err).toMatch(/\[invalid_filter/);
    expect((await em(['tail', '--from', 'the beginning'])).err).toMatch(/\[invalid_cursor/);
  });

  it('ends by SIGTERM, too, and by Ctrl-C while it waits for a service that is away', async () => {
    const { url, service } = await runningService();
    const environment = { EVENT_MANAGER_URL: url };
    const [first, second] = [start(['tail'], { environment }), start(['tail'], { environment })];
    await Promise.all([first.shows('watching'), second.shows('watching')]);
    first.interrupt('SIGTERM');
    expect(await first.result).toMatchObject({ code: 143, out: '' });
    await service.stop();
    await second.shows('the service went away; waiting for it');
    second.interrupt();
    expect(await second.result).toMatchObject({ code: 130, out: '' });
  });

  it('ends when nobody reads any more', async () => {
    const { url, em } = await runningService();
    const watching = start(['tail', '--json'], { environment: { EVENT_MANAGER_URL: url } });
    await watching.shows('').catch(() => {});
    watching.hangUp();
    for (let n = 0; n < 3; n++) await em(['publish', 'a']);
    expect(await watching.result).toMatchObject({ code: 141, out: '', err: '' });
  });
});
