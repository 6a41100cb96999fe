import { expect, it } from 'vitest';
import { runningService } from '../support/service.ts';

it('registers whom a subscriber works for, shows it and forgets it', async () => {
  const { em } = await runningService();
  expect(await em(['contexts', 'list'])).toMatchObject({
    code: 0,
    out: '',
    err: 'no context is registered: whatever names anybody is relevant\n',
  });
  const flags = ['--user', 'ada', '--project', 'engine', '--project', 'notes'];
  const made = await em(['contexts', 'set', 'assistant', ...flags, '--json']);
  expect([made.code, JSON.parse(made.out)]).toEqual([
    0,
    expect.objectContaining({ subscriber: 'assistant', userIds: ['ada'], projectIds: ['engine', 'notes'] }),
  ]);
  const replaced = await em(['contexts', 'set', 'assistant', '-', '--session', 's-1', '--json'], {
    stdin: '{"users":["bob"]}',
  });
  expect(JSON.parse(replaced.out)).toMatchObject({ userIds: ['bob'], projectIds: [], sessionIds: ['s-1'] });
  expect((await em(['contexts', 'list'])).out).toMatch(/^SUBSCRIBER .*\nassistant {3}1 {6}0 {9}1 {9}\d{4}-/);
  expect(JSON.parse((await em(['contexts', 'get', 'assistant', '--json'])).out)).toMatchObject({ userIds: ['bob'] });
  expect((await em(['contexts', 'remove', 'assistant'])).out).toBe('removed assistant\n');
  const gone = await em(['contexts', 'get', 'assistant']);
  expect([gone.code, gone.err]).toEqual([4, expect.stringMatching(/\[context_not_found/)]);
});

it('says what is missing instead of registering that nothing is relevant', async () => {
  const { em } = await runningService();
  const { code, err } = await em(['contexts', 'set', 'assistant']);
  expect([code, err]).toEqual([2, expect.stringContaining('--user, --project, --session')]);
});
