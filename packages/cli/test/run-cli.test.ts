import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { EXIT_CODES, endingOf } from '../src/exit-codes.ts';
import { run } from './support/run.ts';
import { runningService } from './support/service.ts';

/** A port that was free a moment ago. */
const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
server.close();
const NOBODY = { EVENT_MANAGER_URL: `http://127.0.0.1:${port}` };
const LEAVES = [
  'serve',
  'publish',
  'tail',
  'topics list',
  'topics get',
  'topics create',
  'topics add-schema',
  'topics rejections',
  'subscriptions list',
  'subscriptions get',
  'subscriptions create',
  'subscriptions update',
  'subscriptions pause',
  'subscriptions resume',
  'subscriptions delete',
  'subscriptions test',
  'events list',
  'events get',
  'dead-letters list',
  'dead-letters get',
  'journal verify',
  'journal inspect',
  'journal repair',
  'config check',
  'config print',
  'doctor',
  'completion',
];

describe('the command line', () => {
  it('prints its version and its help on standard output', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    expect(await run(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
    for (const args of [['--help'], ['-h'], [], ['events'], ['publish', '--help']]) {
      const { code, out, err } = await run(args);
      expect([code, err]).toEqual([0, '']);
      expect(out).toMatch(/^USAGE\n {2}event-manager/);
    }
  });

  it('has every command, each with help', async () => {
    for (const leaf of LEAVES) {
      const { code, out } = await run([...leaf.split(' '), '--help']);
      expect([leaf, code]).toEqual([leaf, 0]);
      expect(out).toContain(`event-manager ${leaf}`);
    }
    expect((await run(['--help'])).out).not.toContain('propose');
  });

  it.each([
    [['serv'], /No command registered for `serv`, did you mean `serve`\?; see --help/],
    [['events', 'lost'], /No command registered for `lost`, did you mean `list`/],
    [['events', 'list', '--limit', 'many'], /limit.*a whole number from 1 to 1000 is expected/],
    [['events', 'list', '--limits', '3'], /No flag registered for --limits, did you mean --limit\?/],
    [['events', 'list', '--from', 'yesterday'], /--from is a time such as/],
    [['events', 'get'], /Expected argument for id/],
    [['events', 'get', 'one', 'two'], /Too many arguments/],
    [['publish', 'a', '{"b":'], /the payload is not JSON/],
    [['publish', 'a', '{a:', '1}'], /Too many arguments.*; put JSON in single quotes, .*; see --help/],
    [['publish', 'a', '{a:1}'], /the payload is not JSON.*; put JSON in single quotes/],
    [['publish', 'a', '[1]'], /the payload is not a JSON object/],
    [['publish', 'a', '@/nowhere/at/all'], /cannot be read: \/nowhere\/at\/all \(ENOENT\)/],
    [['publish', '@/nowhere/at/all'], /the file cannot be read: \/nowhere\/at\/all \(ENOENT\)/],
    [['publish', '-', '{}'], /a payload goes with a type/],
    [['publish', 'a', '--priority', 'URGENT'], /Expected "URGENT" to be one of \(CRITICAL\|HIGH\|NORMAL\|LOW\)/],
    [['subscriptions', 'create', '--topic', 'a'], /--endpoint is missing/],
    [['topics', 'list', '--url', 'ftp://x'], /--url must be an http or https URL/],
    [['completion', 'tcsh'], /one of bash, zsh, fish is expected/],
    [['config', 'check', '--port', 'x'], /setting port \(--port\) must be a whole number/],
    [['serve', '--prot', '1'], /No flag registered for --prot/],
  ])('calls %j a wrong use, says why, and does nothing', async (args, words) => {
    const { code, out, err } = await run(args, { environment: NOBODY });
    expect(err).toMatch(words);
    expect([code, out]).toEqual([EXIT_CODES.wrongUse.code, '']);
    expect(err).toMatch(/^event-manager: .*\n$/);
  });

  it.each(LEAVES)('tells three wrong uses of %s apart from everything else', async (leaf) => {
    const tooMany = ['a', 'b', 'c', 'd'];
    for (const [wrong, words] of [
      [['--nope'], /No flag registered for --nope/],
      [leaf === 'completion' ? ['bash', ...tooMany] : tooMany, /Too many arguments/],
      [['--json=perhaps', '--port='], /json|port/],
    ] as const) {
      const { code, out, err } = await run([...leaf.split(' '), ...wrong], { environment: NOBODY });
      expect([leaf, code, out]).toEqual([leaf, EXIT_CODES.wrongUse.code, '']);
      expect(err).toMatch(words);
      expect(err).toMatch(/^(event-manager: .*; see --help\n)+$/);
    }
  });

  it('writes errors as one line of JSON when the answer would have been JSON', async () => {
    const wrong = await run(['events', 'list', '--json', '--limit', '0']);
    expect([wrong.code, wrong.out]).toEqual([2, '']);
    expect(JSON.parse(wrong.err)).toMatchObject({ error: { code: 'wrongUse' } });
    const away = await run(['events', 'list', '--json'], { environment: NOBODY });
    expect([away.code, away.out]).toEqual([3, '']);
    expect(JSON.parse(away.err)).toMatchObject({ error: { code: 'unreachable', retryable: true } });
    const { em } = await runningService();
    const missing = await em(['events', 'get', '0198c0de-0000-7000-8000-00000000000a', '--json']);
    expect([missing.code, missing.out]).toEqual([4, '']);
    expect(JSON.parse(missing.err)).toMatchObject({
      error: { code: 'event_not_found', requestId: expect.any(String) },
    });
  });

  it('says at once that nobody is there, and how to change that', async () => {
    for (const args of [['events', 'list'], ['publish', 'a'], ['tail'], ['subscriptions', 'test', 'x']]) {
      const { code, out, err } = await run(args, { environment: NOBODY });
      expect([code, out]).toEqual([EXIT_CODES.unreachable.code, '']);
      expect(err).toMatch(
        /no service at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\); start it with event-manager serve/,
      );
    }
  });

  it('prefers the flag to the environment', async () => {
    const { url } = await runningService();
    const { code } = await run(['events', 'list', '--url', `${url}/`], { environment: NOBODY });
    expect(code).toBe(0);
  });

  it('has one exit code for each ending', () => {
    const codes = Object.values(EXIT_CODES).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(endingOf(new TypeError('a defect'))).toBe('failed');
  });
});
