import { expect, it } from 'vitest';
import { holdAgainstProgram, makeRequestOf } from './one-program.ts';

const name = 'retries-and-dead-letters.md';

holdAgainstProgram({ name, program: 'examples/retries/main.ts', others: ['sh'] });

it('shows a request that is answered', { timeout: 60_000 }, async () => {
  expect(await makeRequestOf(name)).toEqual({ data: [], nextCursor: null });
});
