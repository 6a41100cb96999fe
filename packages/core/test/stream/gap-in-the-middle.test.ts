import { expect, it } from 'vitest';
import type { EventStore } from '../../src/contracts/event-store.ts';
import { Engine } from '../../src/engine.ts';
import { memory } from '../../src/memory/memory.ts';
import { ANONYMOUS } from '../../src/principal.ts';

/** A log in which position 5 cannot be read: the reads of the memory adapter with a hole. */
function withDamageAt(position: number): ReturnType<typeof memory> {
  const adapter = memory();
  const read: EventStore['read'] = adapter.store.read.bind(adapter.store);
  adapter.store.read = async (partition, after, options) => {
    const chunk = await read(partition, after, options);
    const records = chunk.records.filter((record) => record.place.position !== position);
    const isHit = after < position && chunk.scannedTo >= position;
    return isHit
      ? { ...chunk, records, lost: { from: position, through: position, cause: 'damaged' } }
      : { ...chunk, records };
  };
  return adapter;
}

/** If the gap came first, whoever continued from its cursor would lose the events that stand before it. */
it('a gap frame stands between the events before it and those behind it, and its cursor loses none', async () => {
  const engine = await Engine.open({ adapter: withDamageAt(5) });
  for (let n = 1; n <= 9; n++) await engine.publish(ANONYMOUS, { type: 'n', source: 'test', payload: { n } });
  const numbers = async (from: string) => {
    const stream = await engine.history.stream(ANONYMOUS, { from });
    const frames = await stream.next();
    stream.close();
    return frames.map((frame) => ({
      what: frame.kind === 'gap' ? 'gap' : frame.record.place.position,
      cursor: frame.cursor,
    }));
  };
  const frames = await numbers('earliest');
  expect(frames.map((frame) => frame.what)).toEqual([1, 2, 3, 4, 'gap', 6, 7, 8, 9]);
  for (const [at, { cursor }] of frames.entries()) {
    const rest = frames.slice(at + 1).map((frame) => frame.what);
    if (rest.length > 0) expect((await numbers(cursor)).map((frame) => frame.what)).toEqual(rest);
  }
  await engine.close();
});
