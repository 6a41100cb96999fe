import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { run, start, temporaryFolder } from '../support/run.ts';
import { runningService } from '../support/service.ts';
import { SilentService } from '../support/silent-service.ts';

const ID = '0198c0de-0000-7000-8000-00000000000a';

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('publish', () => {
  it('publishes one event and says where it is; the same id again is told from a new event', async () => {
    const { em } = await runningService();
    const args = ['publish', 'order.created', '{"total":12.5}', '--source', 'shop', '--id', ID];
    expect((await em(args)).out).toMatch(new RegExp(`^${ID} is stored at \\S+\n$`));
    expect(JSON.parse((await em([...args, '--json'])).out)).toMatchObject({ id: ID, duplicate: true });
    const other = await em(['publish', 'order.created', '{"total":13}', '--source', 'shop', '--id', ID]);
    expect([other.code, other.out]).toEqual([1, '']);
    expect(other.err).toMatch(/\[id_conflict/);
  });

  it('takes 10,000 lines from standard input, in their order, with an answer for each', {
    timeout: 60_000,
  }, async () => {
    const { em } = await runningService();
    let read = 0;
    const input = Readable.from(
      (function* () {
        for (let n = 0; n < 10_000; n++) {
          read = n;
          yield Buffer.from(`${JSON.stringify({ type: 'load', payload: { n } })}\n`);
        }
      })(),
    );
    const { code, out, err } = await em(['publish', '-', '--source', 'shop', '--json'], { stdin: input });
    const answers = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([code, err, read]).toEqual([0, '', 9_999]);
    expect(answers.at(-1)).toEqual({ stored: 10_000, scheduled: 0, duplicates: 0, refused: 0, unanswered: 0 });
    expect(answers.slice(0, -1).map(({ index }) => index)).toEqual([...Array(10_000).keys()]);
    const stored = await em(['events', 'list', '--type', 'load', '--all', '--json', '--limit', '1000']);
    expect(
      stored.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).payload.n),
    ).toEqual([...Array(10_000).keys()]);
  });

  it('reads no faster than the service takes', async () => {
    const service = await SilentService.start();
    let given = 0;
    const input = new Readable({
      read() {
        for (let more = true; more && given < 50_000; )
          more = this.push(`{"type":"load","payload":{"n":${given++}}}\n`);
        if (given >= 50_000) this.push(null);
      },
    });
    const ended = run(['publish', '-'], { stdin: input, environment: { EVENT_MANAGER_URL: service.url } });
    while (service.taken === 0) await settle();
    // It has had the time to read all of it many times over.
    for (let turns = 0; turns < 1_000; turns++) await settle();
    // While the first 2,000 are unanswered nothing more is taken from the reader than its own buffers hold.
    expect(given).toBeLessThan(10_000);
    service.answer();
    expect((await ended).out).toMatch(/^50,000 stored, 0 stored before, 0 refused/);
  });

  it('does not let a refused event hold up the others', async () => {
    const { em } = await runningService();
    const stdin = [
      '{"type":"a"}',
      '{"type":"a","colour":1}',
      '{"type":',
      '[1]',
      '{"type":"b","source":"own"}',
      '',
    ].join('\n');
    const people = await em(['publish', '-'], { stdin });
    expect([people.code, people.out]).toEqual([5, expect.stringMatching(/^2 stored, 0 stored before, 3 refused/)]);
    expect(people.err).toMatch(
      /^line 2: event-manager: .*\[invalid_event\]\nline 3: .*\[invalid_json\]\nline 4: .*\n$/,
    );
    const programs = await em(['publish', '-', '--json'], { stdin });
    const answers = programs.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([programs.code, programs.err]).toEqual([5, '']);
    expect(answers[1]).toMatchObject({ index: 1, line: 2, error: { code: 'invalid_event', pointer: '/colour' } });
    expect(answers[4]).toMatchObject({ index: 4, id: expect.any(String), duplicate: false });
    expect(answers[5]).toEqual({ stored: 2, scheduled: 0, duplicates: 0, refused: 3, unanswered: 0 });
    const none = await em(['publish', '-'], { stdin: '{"typ":"a"}\n{"typ":"b"}\n' });
    expect([none.code, none.out]).toEqual([1, expect.stringMatching(/^0 stored/)]);
  });

  it('takes an array, a single event and a file', async () => {
    const { em } = await runningService();
    const path = join(temporaryFolder(), 'events.json');
    writeFileSync(path, JSON.stringify([{ type: 'a' }, { type: 'b' }], undefined, 2));
    expect((await em(['publish', `@${path}`])).out).toMatch(/^2 stored/);
    expect((await em(['publish', '-'], { stdin: '{\n  "type": "c"\n}' })).out).toMatch(/^1 stored/);
    expect((await em(['publish', '-'], { stdin: '' })).out).toMatch(/^0 stored/);
    writeFileSync(path, '{"big":{"x":1}}');
    expect((await em(['publish', 'd', `@${path}`])).code).toBe(0);
    const open = await em(['publish', '-'], { stdin: '[{"type":"e"},{"type":' });
    expect([open.code, open.out]).toEqual([2, expect.stringMatching(/^1 stored/)]);
    expect(open.err).toMatch(/cannot be read to its end: The array is not closed/);
  });

  it('draws progress on a terminal alone', async () => {
    const { em } = await runningService();
    const stdin = '{"type":"a"}\n'.repeat(2_000);
    expect((await em(['publish', '-'], { stdin, isTerminal: true })).err).toMatch(/\d+ events/);
    for (const more of [['--json'], ['--quiet']]) {
      expect((await em(['publish', '-', ...more], { stdin, isTerminal: true })).err).toBe('');
    }
    expect((await em(['publish', '-'], { stdin })).err).toBe('');
  });

  it('ends by Ctrl-C although the input goes on, and says what is stored', async () => {
    const { url } = await runningService();
    const stdin = new Readable({ read() {} });
    stdin.push('{"type":"a"}\n{"type":"b"}\n');
    const running = start(['publish', '-', '--json'], { stdin, environment: { EVENT_MANAGER_URL: url } });
    await running.shows('"index":1');
    running.interrupt();
    const { code, out, err } = await running.result;
    expect([code, err]).toEqual([130, '']);
    expect(stdin.destroyed).toBe(true);
    expect(out.trimEnd().split('\n').at(-1)).toBe(
      '{"stored":2,"scheduled":0,"duplicates":0,"refused":0,"unanswered":0}',
    );
  });

  it('tells what nobody knows apart from what was refused, when it is ended while the service is away', async () => {
    const { url, service } = await runningService();
    const stdin = new Readable({ read() {} });
    stdin.push('{"type":"a"}\n');
    const running = start(['publish', '-'], { stdin, environment: { EVENT_MANAGER_URL: url }, isTerminal: true });
    await running.shows('1 events');
    await service.stop();
    await running.shows('the service went away');
    stdin.push('{"type":"b"}\n{"type":"c"}\n');
    await new Promise((resolve) => setImmediate(resolve));
    running.interrupt();
    const { code, out } = await running.result;
    expect([code, out]).toEqual([
      130,
      expect.stringMatching(/^1 stored, 0 stored before, 0 refused(, [12] unanswered)? /),
    ]);
  });
});
