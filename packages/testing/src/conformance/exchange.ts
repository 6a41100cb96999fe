import { type Exchange, type JsonValue, LETTER_BYTES_MAX } from '@event-manager/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** Three processes whose letters are carried by what is tested. */
export interface ExchangeHarness {
  readonly name: string;
  open(): Promise<OpenExchanges>;
}

export interface OpenExchanges {
  /** Open, and not receiving yet. */
  readonly exchanges: readonly [Exchange, Exchange, Exchange];
  /** A moment in which what is on its way may arrive. */
  readonly moment: () => Promise<void>;
  /** Breaks the connections of all, where there are any: they come back by themselves. */
  readonly cut?: () => Promise<void>;
  close(): Promise<void>;
}

interface Got {
  readonly letter: JsonValue;
  readonly from: string;
}

const MOMENTS_MAX = 2_000;
const NAMES = ['first', 'second with a space and ü', 'third'] as const;

/** What the contract of an exchange promises. Letters may be lost: what has to arrive is sent until it does. */
export function exchangeConformance(harness: ExchangeHarness): void {
  describe(`exchange: ${harness.name}`, () => {
    let open: OpenExchanges;
    let got: Got[][];
    let ends: (() => void)[];

    const send = (at: number, letter: JsonValue, to?: number) => {
      open.exchanges[at]!.send(letter, to === undefined ? undefined : NAMES[to]);
    };
    const lettersOf = (at: number) => got[at]!.map(({ letter }) => letter);
    const until = async (isSo: () => boolean, meanwhile: () => void = () => {}) => {
      for (let moments = 0; !isSo(); moments++) {
        if (moments > MOMENTS_MAX) throw new RangeError('It did not come about.');
        if (moments % 20 === 0) meanwhile();
        await open.moment();
      }
    };
    /** Everybody hears everybody. */
    const together = async () => {
      const isHeard = (from: number, to: number) => got[to]!.some((one) => one.from === NAMES[from]);
      const ways = [0, 1, 2].flatMap((from) => [0, 1, 2].filter((to) => to !== from).map((to) => [from, to] as const));
      await until(
        () => ways.every(([from, to]) => isHeard(from, to)),
        () => {
          for (const [from, to] of ways) if (!isHeard(from, to)) send(from, 'hello', to);
        },
      );
      await settled();
      for (const letters of got) letters.length = 0;
    };
    const settled = async () => {
      for (let moments = 0; moments < 20; moments++) await open.moment();
    };

    beforeEach(async () => {
      open = await harness.open();
      got = [[], [], []];
      ends = NAMES.map((name, at) => {
        return open.exchanges[at]!.receive(name, (letter, from) => got[at]!.push({ letter, from }));
      });
      await together();
    });

    afterEach(async () => {
      for (const end of ends) end();
      await open.close();
    });

    it('carries a letter to the one that it names, as it was, and says of whom it is', async () => {
      const letter = { text: 'ü\u2028"\\ 😀', list: [1, null, true, { deep: [] }], number: 1.5e-7 };
      await until(
        () => got[1]!.length > 0,
        () => send(0, letter, 1),
      );
      expect(got[1]![0]).toEqual({ letter, from: NAMES[0] });
      await settled();
      expect([got[0], got[2]]).toEqual([[], []]);
    });

    it('carries a letter without a name to all others, and none back to oneself', async () => {
      await until(
        () => got[1]!.length > 0 && got[2]!.length > 0,
        () => send(0, 'all', undefined),
      );
      await settled();
      expect(got[0]).toEqual([]);
    });

    it('keeps the order of the letters of one to one', async () => {
      const count = 500;
      for (let number = 1; number <= count; number++) send(0, number, 1);
      await settled();
      await until(
        () => lettersOf(1).includes('end'),
        () => send(0, 'end', 1),
      );
      const numbers = lettersOf(1).filter((letter) => typeof letter === 'number');
      // Doubled they may be, but none overtakes another one.
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      expect(new Set(numbers).size).toBeGreaterThan(count / 2);
    });

    it('carries letters of 64 KiB whole, and takes none that is larger', async () => {
      const letter = 'ü'.repeat((LETTER_BYTES_MAX - 2) / 2);
      await until(
        () => lettersOf(2).includes(letter),
        () => send(0, letter, 2),
      );
      expect(() => send(0, `${letter}x`, 2)).toThrow(TypeError);
    });

    it('carries nothing to one that ended to receive, and nothing of it', async () => {
      ends[1]!();
      send(0, 'late', 1);
      send(1, 'late', 0);
      await settled();
      expect([got[0], got[1]]).toEqual([[], []]);
    });

    it('throws nothing when it is closed', async () => {
      await open.close();
      expect(() => send(0, 'late', 1)).not.toThrow();
    });

    it('carries letters again after its connections broke', async ({ skip }) => {
      if (!open.cut) return skip('It has none that could break.');
      await open.cut();
      await together();
      for (let number = 1; number <= 50; number++) send(2, number, 0);
      await until(
        () => lettersOf(0).includes('end'),
        () => send(2, 'end', 0),
      );
      const numbers = lettersOf(0).filter((letter) => typeof letter === 'number');
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      return undefined;
    });
  });
}
