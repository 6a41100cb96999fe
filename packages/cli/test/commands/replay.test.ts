import { describe, expect, it } from 'vitest';
import { runningService } from '../support/service.ts';

const lines = (out: string) => out.trimEnd().split('\n');

describe('replay and runs', () => {
  it('say what would be delivered, start, watch, list, stand still, go on and end', async () => {
    const { em } = await runningService();
    await em(['subscriptions', 'create', '{"name":"billing","topic":"order.*"}']);
    for (let n = 0; n < 3; n++) await em(['publish', 'order.created', `{"n":${n}}`, '--quiet']);

    const dry = await em(['replay', 'start', '--from', '2h', '--subscription', 'billing', '--dry-run']);
    expect(lines(dry.out).slice(0, 3)).toEqual(['SUBSCRIPTION  DELIVERIES', 'billing       3', '3 deliveries']);
    const wrong = await em(['replay', 'start', '--speed', 'slow']);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringMatching(/--speed is max/)]);

    const started = await em(['replay', 'start', '--subscription', 'billing', '--speed', '50', '--note', 'why']);
    const [id] = lines(started.out) as [string];
    expect([started.code, started.err]).toEqual([0, expect.stringContaining(`runs show ${id}`)]);
    expect((await em(['runs', 'list'])).out).toMatch(new RegExp(`${id}  replay  running`));
    expect((await em(['runs', 'pause', id])).out).toMatch(/paused\nwhy\n/);
    expect((await em(['runs', 'resume', id])).out).toMatch(/running/);
    // Nobody has asked for its deliveries: it goes on until somebody does.
    const shown = JSON.parse((await em(['runs', 'show', id, '--json'])).out);
    expect(shown).toMatchObject({ kind: 'replay', note: 'why', counts: { total: 3, done: 0 } });
    const pulled = await em(['subscriptions', 'pull', 'billing', '--max', '4', '--ack', '--json']);
    expect(lines(pulled.out).length).toBeGreaterThan(0);
    expect((await em(['runs', 'cancel', id])).out).toMatch(/cancelled/);
    expect((await em(['runs', 'report', id])).err).toMatch(/nothing was given up on/);
    expect((await em(['runs', 'pause', id])).code).toBe(1);
    expect((await em(['runs', 'show', '0198c0de-0000-7000-8000-00000000000a'])).code).toBe(4);
    expect((await em(['runs', 'list', '--kind', 'redrive'])).err).toMatch(/no runs/);
  });

  it('print what somebody noted so that it shows what it is', async () => {
    const { em } = await runningService();
    const note = '\x1b[31mred\nended yesterday\u202e';
    const [id] = lines((await em(['replay', 'start', '--all', '--note', note])).out) as [string];
    expect((await em(['runs', 'show', id])).out).toContain('\n\\u001b[31mred\\u000aended yesterday\\u202e\n');
  });

  it('waits for the end with --follow, and says what came of it', async () => {
    const { em } = await runningService();
    const empty = await em(['replay', 'start', '--follow']);
    expect([empty.code, empty.err]).toEqual([
      1,
      expect.stringMatching(/by from, a subscription .* ask for all that are kept/),
    ]);
    const nothing = await em(['replay', 'start', '--all', '--follow', '--json']);
    expect([nothing.code, JSON.parse(nothing.out)]).toEqual([0, expect.objectContaining({ state: 'done', parts: [] })]);
  });

  it('ends with 5 where some were given up on, and says where to look', async () => {
    const { em } = await runningService();
    const endpoint = 'http://127.0.0.1:9/hook';
    const options = { retryPolicy: { maxRetries: 0 } };
    await em(['subscriptions', 'create', JSON.stringify({ name: 'down', topic: 'order.*', endpoint, options })]);
    await em(['publish', 'order.created', '--quiet']);
    const followed = await em(['replay', 'start', '--subscription', 'down', '--follow']);
    expect([followed.code, followed.out]).toEqual([5, expect.stringContaining('\n0 done, 1 failed, 0 skipped of 1\n')]);
    const [, id] = /event-manager runs report (\S+) says which failed/.exec(followed.err) ?? [];
    expect((await em(['runs', 'report', id!])).out).toMatch(/ {2}down +order\/created +1 .*refused/);
  });

  it('begins and ends at an end of the log, a cursor or a time, and not the wrong way round', async () => {
    const { em } = await runningService();
    await em(['subscriptions', 'create', '{"name":"billing","topic":"order.*"}']);
    const cursors: string[] = [];
    for (let n = 0; n < 3; n++) {
      cursors.push(JSON.parse((await em(['publish', 'order.created', '--json'])).out).cursor);
    }
    const counted = async (...flags: readonly string[]) => {
      const { out, err } = await em(['replay', 'start', ...flags, '--dry-run', '--json']);
      return err === '' ? JSON.parse(out).count : err;
    };
    expect(await counted('--from', 'earliest', '--to', 'latest')).toBe(3);
    expect(await counted('--from', cursors[0]!, '--to', cursors[1]!)).toBe(1);
    expect(await counted('--from', 'earliest', '--to', '1h')).toBe(0);
    expect(await counted('--from', 'latest')).toBe(0);
    for (const reversed of [
      ['1h', '2h'],
      [cursors[1], cursors[0]],
      ['latest', cursors[0]],
    ] as [string, string][]) {
      expect(await counted('--from', reversed[0], '--to', reversed[1])).toContain('ends before it begins');
    }
    const choices = /earliest, latest, a time .* or a cursor/;
    expect(await counted('--from', 'banana')).toMatch(choices);
    expect((await em(['subscriptions', 'reset', 'billing', '--to', 'banana'])).err).toMatch(choices);
  });

  it('resets a subscription to a time or the end', async () => {
    const { em } = await runningService();
    await em(['subscriptions', 'create', '{"name":"billing","topic":"order.*"}']);
    await em(['publish', 'order.created', '--quiet']);
    const latest = await em(['subscriptions', 'reset', 'billing', '--to', 'latest', '--note', 'why', '--json']);
    expect(JSON.parse(latest.out)).toMatchObject({ dropped: 0, by: 'anonymous', note: 'why' });
    expect((await em(['subscriptions', 'pull', 'billing', '--json'])).out).toBe('');
    const back = await em(['subscriptions', 'reset', 'billing', '--to', '1h']);
    expect(back.out).toMatch(/goes on behind \S+; it was at \S+/);
    expect(lines((await em(['subscriptions', 'pull', 'billing', '--json'])).out)).toHaveLength(1);
    expect((await em(['subscriptions', 'reset', 'billing', '--to', 'never'])).code).not.toBe(0);
  });
});
