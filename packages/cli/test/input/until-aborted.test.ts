import { retainedBytes } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { untilAborted } from '../../src/input/until-aborted.ts';

const MIB = 1024 * 1024;

async function* endless<T>(make: () => T): AsyncGenerator<T> {
  for (;;) yield make();
}

describe('a source that is read until the signal is aborted', () => {
  it('ends while the source gives nothing, and when it was aborted before', async () => {
    const nothing: AsyncIterable<number> = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
    const controller = new AbortController();
    const reading = untilAborted(nothing, controller.signal).next();
    controller.abort();
    expect(await reading).toEqual({ value: undefined, done: true });
    expect((await untilAborted(nothing, controller.signal).next()).done).toBe(true);
  });

  it('passes on what the source fails with', async () => {
    const failing = async function* (): AsyncGenerator<number> {
      yield 1;
      throw new TypeError('broken');
    };
    const values = untilAborted(failing(), new AbortController().signal);
    expect((await values.next()).value).toBe(1);
    await expect(values.next()).rejects.toThrow('broken');
  });

  it('holds nothing of what was read, however long it goes on', async () => {
    const before = retainedBytes();
    let count = 0;
    for await (const value of untilAborted(
      endless(() => Buffer.alloc(1_000).toString('latin1')),
      new AbortController().signal,
    )) {
      count += value.length > 0 ? 1 : 0;
      if (count === 100_000) {
        // All of it would be a dozen times as much.
        expect(retainedBytes() - before).toBeLessThan(8 * MIB);
        break;
      }
    }
  });
});
