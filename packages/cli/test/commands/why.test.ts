import { expect, it } from 'vitest';
import { runningService } from '../support/service.ts';

const NOBODY = '0198c0de-0000-7000-8000-00000000000a';

it('says why, and ends as for what does not exist where nobody knows the event or the subscription', async () => {
  const { em } = await runningService();
  await em(['subscriptions', 'create', '{"name":"billing","topic":"order.*","filter":{"types":["order.paid"]}}']);
  const { id } = JSON.parse((await em(['publish', 'order.created', '--json'])).out);
  const known = await em(['why', 'billing', id]);
  expect([known.code, known.out]).toEqual([0, expect.stringMatching(/^not-wanted: filter_not_matched\n/)]);
  expect(known.out).not.toMatch(/waiting/);
  // What to do about it names the subscription as people do.
  expect(known.out).toContain('event-manager subscriptions update billing ');
  expect(known.out).toContain('event-manager subscriptions pull billing ');
  const unknown = await em(['why', 'billing', NOBODY]);
  expect([unknown.code, unknown.out]).toEqual([4, expect.stringMatching(/^unknown: unknown_event\n/)]);
  const json = await em(['why', 'billing', NOBODY, '--json']);
  expect([json.code, JSON.parse(json.out).status]).toEqual([4, 'unknown']);
  const nobody = await em(['why', 'nobody', id]);
  expect([nobody.code, nobody.err]).toEqual([
    4,
    expect.stringContaining('No subscription with this id or name exists'),
  ]);
  await em(['subscriptions', 'create', '{"name":"other","topic":"other"}']);
  const note = async () => (await em(['events', 'deliveries', id])).err;
  expect(await note()).toBe('the pattern of another one does not match its topic; --all lists such, too\n');
  await em(['subscriptions', 'create', '{"name":"more","topic":"other"}']);
  expect(await note()).toBe('the patterns of 2 others do not match its topic; --all lists such, too\n');
});
