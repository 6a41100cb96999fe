import { expect, it } from 'vitest';
import { Fifo } from '../../../src/dispatch/order/fifo.ts';

it('gives back what was put in, in that order, however it is mixed', () => {
  const fifo = new Fifo<number>();
  const given: number[] = [];
  let next = 0;
  for (let round = 0; round < 50; round++) {
    for (let more = 0; more < (round * 7) % 11; more++) fifo.push(next++);
    expect([fifo.peek(), fifo.peekAhead(1)]).toEqual(
      [given.length, given.length + 1].map((n) => (n < next ? n : undefined)),
    );
    for (let less = 0; less < (round * 5) % 9 && fifo.size > 0; less++) given.push(fifo.shift()!);
    expect(fifo.size).toBe(next - given.length);
  }
  while (fifo.size > 0) given.push(fifo.shift()!);
  expect(given).toEqual(Array.from({ length: next }, (_, n) => n));
  expect(fifo.shift()).toBeUndefined();
});
