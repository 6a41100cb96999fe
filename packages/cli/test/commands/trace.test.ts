import { EventManagerClient } from '@event-manager/client';
import { expect, it } from 'vitest';
import { runningService } from '../support/service.ts';

const lines = (out: string) => out.trimEnd().split('\n');
const LOST = '0198c0de-0000-7000-8000-00000000000a';

it('draws what an event followed from and what followed from it, for people and for programs', async () => {
  const { em } = await runningService();
  const publish = async (...args: readonly string[]) =>
    JSON.parse((await em(['publish', ...args, '--source', 'shop', '--json'])).out).id as string;
  const ordered = await publish('order.created', '--causation-id', LOST);
  const paid = await publish('order.paid', '--causation-id', ordered);
  const sent = await publish('parcel.sent', '--causation-id', paid, '--topic', 'parcels.eu');
  const told = await publish('customer.told', '--causation-id', ordered);

  const drawn = await em(['trace', ordered]);
  expect(lines(drawn.out).map((line) => line.replace(/\+\d+ ms/, '+n ms'))).toEqual([
    `${LOST}  is not kept`,
    `\`- +n ms  order.created  from shop  ${ordered}  <- asked for`.replace(/\+n ms/, () => firstTime(drawn.out)),
    `   |- +n ms  order.paid  from shop  ${paid}`,
    `   |  \`- +n ms  parcel.sent on parcels.eu  from shop  ${sent}`,
    `   \`- +n ms  customer.told  from shop  ${told}`,
  ]);
  expect([drawn.code, drawn.err]).toEqual([0, '']);

  const graph = JSON.parse((await em(['trace', ordered, '--json'])).out);
  expect(graph).toMatchObject({ id: ordered, complete: true, missing: [{ id: LOST, namedBy: [ordered] }] });
  expect(graph.events.map(({ id }: { id: string }) => id)).toEqual([ordered, paid, sent, told]);
  expect(
    (await em(['events', 'list', '--causation-id', paid, '--causation-id', ordered])).out.match(/from shop/g),
  ).toHaveLength(3);
});

it('says on stderr where it was cut, and fails for an event that is not kept', async () => {
  const { em } = await runningService();
  const { id } = JSON.parse((await em(['publish', 'a', '--json'])).out);
  await em(['publish', 'b', '--causation-id', id]);
  const cut = await em(['trace', id, '--depth', '0']);
  expect(lines(cut.out)).toHaveLength(1);
  expect(cut.err).toBe(`not everything is shown: effects of ${id} lie deeper; --depth shows them\n`);
  expect(await em(['trace', LOST])).toMatchObject({ code: 4, out: '', err: expect.stringMatching(/event_not_found/) });
  expect((await em(['trace', id, '--depth', '101'])).code).toBe(2);
});

it('advises no more depth where there is no more', async () => {
  const { em, url } = await runningService();
  await using events = new EventManagerClient(url);
  const ids: string[] = [];
  for (let at = 0; at < 103; at++) {
    const causationId = ids.at(-1);
    ids.push((await events.publish({ type: 'a', source: 's', ...(causationId ? { causationId } : {}) })).id);
  }
  const deepest = await em(['trace', ids[0]!, '--depth', '100']);
  expect(lines(deepest.out)).toHaveLength(101);
  expect(deepest.err).toBe(
    `not everything is shown: effects of ${ids[100]} lie deeper than the 100 steps of one graph; trace one of those to go on from there\n`,
  );
});

it('says to whom an event is owed still, and who never got it', async () => {
  const { em } = await runningService();
  await em(['subscriptions', 'create', '--name', 'slow', '--topic', 'order.paid']);
  const { id } = JSON.parse((await em(['publish', 'order.created', '--json'])).out);
  const paid = JSON.parse((await em(['publish', 'order.paid', '--causation-id', id, '--json'])).out).id;
  const drawn = lines((await em(['trace', id, '--deliveries'])).out);
  expect(drawn[0]).not.toContain('!');
  expect(drawn[1]).toMatch(new RegExp(`${paid}  ! slow: not_pulled$`));
  const told = JSON.parse((await em(['trace', id, '--deliveries', '--json'])).out);
  expect(told.undelivered).toEqual({ [paid]: [expect.objectContaining({ name: 'slow', status: 'owed' })] });
  expect(lines((await em(['trace', id])).out)[1]).not.toContain('!');
});

function firstTime(out: string): string {
  return /`- (\S+)/.exec(out)![1]!;
}
