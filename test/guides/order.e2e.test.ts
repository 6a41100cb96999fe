import { expect, it } from 'vitest';
import { holdAgainstProgram, makeRequestOf } from './one-program.ts';

const name = 'delivery-and-order.md';

holdAgainstProgram({ name, program: 'examples/order/main.ts', others: ['sh'] });

it('shows a request that is answered', { timeout: 60_000 }, async () => {
  const answer = await makeRequestOf(name, async (url, command) => {
    const body = JSON.stringify({ topic: '#', endpoint: 'https://example.com/', options: { order: 'key' } });
    const headers = { 'content-type': 'application/json' };
    const created = await fetch(`${url}/subscriptions`, { method: 'POST', headers, body });
    const { id } = (await created.json()) as { id: string };
    return command.replace('/ID/', `/${id}/`);
  });
  expect(answer).toEqual({ data: [], nextCursor: null });
});
