import { describe, expect, it } from 'vitest';
import { runningService } from '../support/service.ts';

const lines = (out: string) => out.trimEnd().split('\n');

describe('events', () => {
  it('lists what is stored, by page or all of it, for people and for programs', async () => {
    const { em } = await runningService();
    for (let n = 0; n < 5; n++) await em(['publish', `order.created`, `{"n":${n}}`, '--source', 'shop', '--quiet']);
    await em([
      'publish',
      'user.created',
      '--priority',
      'HIGH',
      '--correlation-id',
      'flow-1',
      '--tag',
      'a',
      '--tag',
      'b',
    ]);

    const people = await em(['events', 'list', '--type', 'order.*']);
    expect(lines(people.out)).toHaveLength(5);
    expect(people.out).toMatch(/NORMAL {4}order\.created {2}from shop {2}\S+ {2}\{"n":0\}/);

    const page = JSON.parse((await em(['events', 'list', '--json', '--limit', '2', '--newest'])).out);
    expect(page.data.map(({ type }: { type: string }) => type)).toEqual(['user.created', 'order.created']);
    expect(page.data[0]).toMatchObject({ priority: 1, correlationId: 'flow-1', metadata: { tags: ['a', 'b'] } });
    const next = await em(['events', 'list', '--json', '--limit', '2', '--newest', '--cursor', page.nextCursor]);
    expect(JSON.parse(next.out).data.map(({ payload }: { payload: object }) => payload)).toEqual([{ n: 3 }, { n: 2 }]);

    const all = await em(['events', 'list', '--json', '--all', '--limit', '2']);
    expect(lines(all.out).map((line) => JSON.parse(line).payload.n)).toEqual([0, 1, 2, 3, 4, undefined]);
    expect((await em(['events', 'list', '--correlation-id', 'flow-1', '--from', '1h'])).out).toMatch(/user\.created/);
    expect((await em(['events', 'list', '--to', '1h'])).out).toBe('');
    const one = await em(['events', 'list', '--limit', '1']);
    expect(one.err).toMatch(/there may be more: --cursor \S+, or --all/);
    expect((await em(['events', 'list', '--limit', '1', '--quiet'])).err).toBe('');
  });

  it('prints one event as it is stored, and says when there is none', async () => {
    const { em } = await runningService();
    const { id } = JSON.parse((await em(['publish', 'a', '{"b":1}', '--json'])).out);
    const { code, out } = await em(['events', 'get', id, '--json']);
    expect([code, JSON.parse(out)]).toEqual([0, expect.objectContaining({ id, type: 'a', payload: { b: 1 } })]);
    expect(JSON.parse((await em(['events', 'get', id])).out)).toEqual(JSON.parse(out));
    expect(await em(['events', 'get', '0198c0de-0000-7000-8000-00000000000a'])).toMatchObject({
      code: 4,
      out: '',
      err: expect.stringMatching(/No event with this id is kept\. \[event_not_found/),
    });
  });

  it('publishes for later, lists what waits, and cancels it', async () => {
    const { em } = await runningService();
    const { id, scheduledFor } = JSON.parse(
      (await em(['publish', 'later', '--at', '2099-01-01T08:00:00Z', '--json'])).out,
    );
    expect(scheduledFor).toBe('2099-01-01T08:00:00.000Z');
    const second = await em(['publish', 'sooner', '--delay', '30d']);
    expect(second.out).toMatch(/^\S+ is scheduled for \S+Z\n$/);
    const listed = await em(['events', 'scheduled']);
    expect(lines(listed.out).map((line) => line.split(/ {2,}/).slice(2))).toEqual([
      ['PRIORITY', 'TYPE', 'TOPIC'],
      ['NORMAL', 'sooner', 'sooner'],
      ['NORMAL', 'later', 'later'],
    ]);
    expect(await em(['events', 'cancel', id])).toMatchObject({ code: 0, out: `${id} is cancelled\n` });
    expect((await em(['events', 'cancel', id])).code).toBe(4);
    const left = lines((await em(['events', 'scheduled', '--json'])).out).map((line) => JSON.parse(line).type);
    expect(left).toEqual(['sooner']);
    const now = JSON.parse((await em(['publish', 'now', '--json'])).out);
    expect(await em(['events', 'cancel', now.id])).toMatchObject({ code: 1, out: `${now.id} is published already\n` });
    for (const wrong of [
      ['--at', 'soon'],
      ['--delay', 'soon'],
      ['--at', '5', '--delay', '5'],
    ]) {
      expect((await em(['publish', 'x', ...wrong])).code, wrong.join(' ')).toBe(2);
    }
  });
});
