import { expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { isEventManagerError } from '../../src/errors/event-manager-error.ts';
import { memory } from '../../src/memory/memory.ts';
import { ANONYMOUS } from '../../src/principal.ts';

/** If a large group were taken in one turn, a batch with many subscriptions would stop the process for a second. */
it('a large group with many subscriptions is acknowledged in slices, in order, with other input between them', async () => {
  const engine = await Engine.open({ adapter: memory() });
  for (let n = 0; n < 100; n++)
    await engine.subscriptions.subscribe(ANONYMOUS, { topic: '#', name: `s${n}`, handler() {} });
  let turns = 0;
  const count = () => {
    turns++;
    if (turns < 1_000) setImmediate(count);
  };
  setImmediate(count);
  const events = Array.from({ length: 3_000 }, (_, n) => ({ type: 'n', source: 'test', payload: { n } }));
  const results = await engine.publishBatch(ANONYMOUS, events);
  const cursors = results.map((result) => (isEventManagerError(result) ? 'failed' : result.cursor));
  expect(new Set(cursors).size).toBe(3_000);
  expect(turns).toBeGreaterThan(3);
  turns = 1_000;
  await engine.close();
});

it('refuses with overloaded when the bytes that wait for the store reach the limit, and stores the others', async () => {
  const engine = await Engine.open({ adapter: memory(), limits: { publishWaitingBytesMax: 10_000 } });
  const payload = { text: 'x'.repeat(3_000) };
  const results = await engine.publishBatch(
    ANONYMOUS,
    Array.from({ length: 6 }, () => ({ type: 'n', source: 'test', payload })),
  );
  const codes = results.map((result) => (isEventManagerError(result) ? result.code : 'stored'));
  expect(codes).toEqual(['stored', 'stored', 'stored', 'overloaded', 'overloaded', 'overloaded']);
  expect(engine.health().head).toBe(3);
  await engine.close();
});
