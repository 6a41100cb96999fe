import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { EventManagerClient } from '@event-manager/client';
import type { EventManager } from '@event-manager/core';
import { expect, it, onTestFinished, vi } from 'vitest';
import { temporaryFolder } from '../support/run.ts';
import { runningService } from '../support/service.ts';

/** A service in which so many deliveries were given up on; `events` takes them when the receiver is well. */
async function withLetters(count: number, settings: Readonly<Record<string, string>> = {}) {
  const { em, url } = await runningService(undefined, settings);
  const events = new EventManagerClient(url) as EventManager;
  onTestFinished(() => events.close());
  const receiver = { isWell: false, seen: [] as unknown[] };
  await events.subscribe({
    name: 'shelf',
    topic: 'book.*',
    handler: ({ payload }) => {
      receiver.seen.push(payload['n']);
      return receiver.isWell ? undefined : { success: false, retry: false, error: `no shelf for ${payload['n']}` };
    },
  });
  for (let n = 1; n <= count; n++) await events.publish({ type: 'book.returned', source: 'desk', payload: { n } });
  await vi.waitFor(async () => expect(await events.listDeadLetters()).toHaveLength(count), { timeout: 10_000 });
  receiver.seen.length = 0;
  return { em, events, receiver };
}

it('shows why letters are there and which would be redriven, and does nothing else', async () => {
  const { em, receiver } = await withLetters(3);
  const groups = await em(['dead-letters', 'groups']);
  expect(groups.out).toMatch(/^GROUP .*\n[0-9a-f-]{36} +3 +\S+ +shelf +handler_error +no shelf for …\n$/);
  expect((await em(['dead-letters', 'list'])).out.match(/ {2}shelf {2}/g)).toHaveLength(3);
  const since = ['--from', '1h', '--to', new Date(Date.now() + 60_000).toISOString(), '--dry-run'];
  expect((await em(['dead-letters', 'redrive', ...since])).out).toMatch(/^3 dead letters/);
  for (const of of ['--correlation-id', '--user-id', '--project-id']) {
    expect((await em(['dead-letters', 'redrive', of, 'nobody', '--dry-run'])).out).toMatch(/^0 dead letters/);
  }
  const [group] = JSON.parse(`[${(await em(['dead-letters', 'groups', '--json'])).out.trim().split('\n').join()}]`);
  const flags = ['--fingerprint', group.fingerprint, '--dry-run'];
  const meant = await em(['dead-letters', 'redrive', ...flags]);
  expect([meant.code, meant.out]).toEqual([0, expect.stringMatching(/^3 dead letters are meant\n\nGROUP/)]);
  expect(JSON.parse((await em(['dead-letters', 'redrive', ...flags, '--json'])).out)).toMatchObject({ count: 3 });
  expect(receiver.seen).toEqual([]);
});

it('redrives and discards what the flags name, and waits for the end when it is asked to', async () => {
  const { em, events, receiver } = await withLetters(3);
  receiver.isWell = true;
  const [first] = await events.listDeadLetters();
  const discarded = await em(['dead-letters', 'discard', first!.id, '--note', 'test data', '--follow']);
  expect([discarded.code, discarded.out]).toEqual([
    0,
    expect.stringMatching(/^discard .*: done\ntest data\n(?:.*\n)*shelf +done /),
  ]);
  const redriven = await em(['dead-letters', 'redrive', '--subscription', 'shelf', '--follow', '--json']);
  expect(JSON.parse(redriven.out)).toMatchObject({ kind: 'redrive', state: 'done', counts: { done: 2, total: 2 } });
  await vi.waitFor(() => expect(receiver.seen).toEqual([2, 3]));
  const left = await em(['dead-letters', 'list', '--state', 'redriven']);
  expect(left.out.match(/ redriven /g)).toHaveLength(2);
  const again = await em(['dead-letters', 'redrive', first!.id, '--follow']);
  expect(again.out).toMatch(/\n0 done, 0 failed, 1 skipped of 1\n1 not_open\n/);
});

it('delivers one with another payload out of a file', async () => {
  const { em, events, receiver } = await withLetters(1);
  receiver.isWell = true;
  const file = join(temporaryFolder(), 'payload.json');
  writeFileSync(file, '{"n": "edited"}');
  const [letter] = await events.listDeadLetters();
  expect((await em(['dead-letters', 'redrive', letter!.id, '--edit', `@${file}`])).code).toBe(0);
  await vi.waitFor(() => expect(receiver.seen).toEqual(['edited']));
});

it('wants to hear which letters are meant', async () => {
  const { em, receiver } = await withLetters(1);
  const nothing = await em(['dead-letters', 'redrive']);
  expect([nothing.code, nothing.err]).toEqual([1, expect.stringContaining('[invalid_run')]);
  const unknown = await em(['dead-letters', 'discard', '0198c0de-0000-7000-8000-00000000000a']);
  expect([unknown.code, unknown.err]).toEqual([4, expect.stringContaining('[dead_letter_not_found')]);
  expect(receiver.seen).toEqual([]);
});

it('asks whoever sits in front of it where they are many, and takes --yes for an answer elsewhere', async () => {
  const { em, receiver } = await withLetters(3, { EVENT_MANAGER_DEAD_LETTER_CONFIRM_ABOVE: '2' });
  receiver.isWell = true;
  const redrive = ['dead-letters', 'redrive', '--all', '--follow'];
  const refused = await em(redrive);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('3 dead letters are meant: say --yes')]);
  const told = await em([...redrive, '--json']);
  expect([told.code, JSON.parse(told.err).error]).toEqual([
    1,
    expect.objectContaining({ code: 'confirmation_required', count: 3 }),
  ]);
  const typed = (text: string) => Object.assign(Readable.from([Buffer.from(text)]), { isTTY: true });
  const declined = await em(redrive, { stdin: typed('n\n'), isTerminal: true });
  expect([declined.code, declined.err]).toEqual([
    1,
    expect.stringContaining('3 dead letters would be redriven. Go on? [y/N]'),
  ]);
  expect(receiver.seen).toEqual([]);
  const discard = ['dead-letters', 'discard', '--type', 'book.lost', '--yes'];
  expect((await em(discard)).code).toBe(0);
  const agreed = await em(redrive, { stdin: typed('y\n'), isTerminal: true });
  expect(agreed.out).toMatch(/: done\n/);
  await vi.waitFor(() => expect(receiver.seen).toEqual([1, 2, 3]));
});
