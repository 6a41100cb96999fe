import { expect, it } from 'vitest';
import type { EventBusAdapter } from '../src/contracts/adapter.ts';
import { Engine } from '../src/engine.ts';
import { memory } from '../src/memory/memory.ts';
import { ANONYMOUS } from '../src/principal.ts';

/**
 * A disk that lied about its last second, or an operator who removed a file: the state knows more events than the log has.
 * If the engine believed the state, every new event up to there would count as settled and be delivered to nobody.
 */
it('delivers new events, and says what is lost, when the log ends below what was settled', async () => {
  const before = memory();
  const delivered: number[] = [];
  const handler = (event: { payload: Record<string, unknown> }) => {
    delivered.push(event.payload['n'] as number);
  };
  const publish = (engine: Engine, n: number) =>
    engine.publish(ANONYMOUS, { type: 'n', source: 'test', payload: { n } });
  const subscribe = (engine: Engine) => engine.subscriptions.subscribe(ANONYMOUS, { name: 'all', topic: '#', handler });

  const first = await Engine.open({ adapter: before });
  await subscribe(first);
  for (const n of [1, 2, 3, 4, 5]) await publish(first, n);
  await first.settled();
  await first.close();

  const short = memory();
  const scratch = await Engine.open({ adapter: short });
  for (const n of [1, 2]) await publish(scratch, n);
  await scratch.close();
  const adapter: EventBusAdapter = {
    name: 'short',
    supports: short.supports,
    store: short.store,
    state: before.state,
    open: async () => {
      await before.open();
      await short.open();
    },
    close: async () => {
      await before.close();
      await short.close();
    },
    health: () => short.health(),
    watch: () => () => {},
  };
  const second = await Engine.open({ adapter });
  await subscribe(second);
  for (const n of [6, 7, 8, 9]) await publish(second, n);
  await second.settled();
  expect(delivered).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(second.health().lost).toEqual([{ from: 3, through: 5, cause: 'damaged' }]);
  await second.close();
});
