import { type Exchange, type JsonValue, LETTER_BYTES_MAX } from '@event-manager/core';
import { afterEach, describe, expect, it } from 'vitest';

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

/** Three processes that exchange letters. */
class ThreeProcesses {
  readonly got: readonly Got[][] = [[], [], []];
  readonly open: OpenExchanges;
  readonly #ends: (() => void)[];

  constructor(open: OpenExchanges) {
    this.open = open;
    this.#ends = NAMES.map((name, at) =>
      open.exchanges[at]!.receive(name, (letter, from) => this.got[at]!.push({ letter, from })),
    );
  }

  send(at: number, letter: JsonValue, to?: number): void {
    this.open.exchanges[at]!.send(letter, to === undefined ? undefined : NAMES[to]);
  }

  lettersOf(at: number): JsonValue[] {
    return this.got[at]!.map(({ letter }) => letter);
  }

  numbersOf(at: number): number[] {
    return this.lettersOf(at).filter((letter) => typeof letter === 'number');
  }

  async until(isSo: () => boolean, meanwhile: () => void = () => {}): Promise<void> {
    for (let moments = 0; !isSo(); moments++) {
      if (moments > MOMENTS_MAX) throw new RangeError('It did not come about.');
      if (moments % 20 === 0) meanwhile();
      await this.open.moment();
    }
  }

  async settled(): Promise<void> {
    for (let moments = 0; moments < 20; moments++) await this.open.moment();
  }

  /** Everybody hears everybody. */
  async together(): Promise<void> {
    const isHeard = (from: number, to: number) => this.got[to]!.some((one) => one.from === NAMES[from]);
    const ways = [0, 1, 2].flatMap((from) => [0, 1, 2].filter((to) => to !== from).map((to) => [from, to] as const));
    const isTogether = () => ways.every(([from, to]) => isHeard(from, to));
    await this.until(isTogether, () => {
      for (const [from, to] of ways) if (!isHeard(from, to)) this.send(from, 'hello', to);
    });
    await this.settled();
    for (const letters of this.got) letters.length = 0;
  }

  /** Sends numbers from one to one; resolves when what was sent behind them has come. */
  async count(from: number, to: number, count: number): Promise<void> {
    for (let number = 1; number <= count; number++) this.send(from, number, to);
    const isOver = () => this.lettersOf(to).includes('end');
    await this.until(isOver, () => this.send(from, 'end', to));
  }

  endReceiving(at: number): void {
    this.#ends[at]!();
  }

  async close(): Promise<void> {
    for (const end of this.#ends) end();
    await this.open.close();
  }
}

type Start = () => Promise<ThreeProcesses>;

/** What the contract of an exchange promises. Letters may be lost: what has to arrive is sent until it does. */
export function exchangeConformance(harness: ExchangeHarness): void {
  describe(`exchange: ${harness.name}`, () => {
    let processes: ThreeProcesses | undefined;
    const start = async () => {
      processes = new ThreeProcesses(await harness.open());
      await processes.together();
      return processes;
    };
    afterEach(async () => {
      await processes?.close();
      processes = undefined;
    });
    whatArrives(start);
    whatEnds(start);
  });
}

function whatArrives(start: Start): void {
  it('carries a letter to the one that it names, as it was, and says of whom it is', async () => {
    const processes = await start();
    const { got } = processes;
    const letter = { text: 'ü\u2028"\\ 😀', list: [1, null, true, { deep: [] }], number: 1.5e-7 };
    const isThere = () => got[1]!.length > 0;
    await processes.until(isThere, () => processes.send(0, letter, 1));
    expect(got[1]![0]).toEqual({ letter, from: NAMES[0] });
    await processes.settled();
    expect([got[0], got[2]]).toEqual([[], []]);
  });

  it('carries a letter without a name to all others, and none back to oneself', async () => {
    const processes = await start();
    const { got } = processes;
    const areThere = () => got[1]!.length > 0 && got[2]!.length > 0;
    await processes.until(areThere, () => processes.send(0, 'all'));
    await processes.settled();
    expect(got[0]).toEqual([]);
  });

  it('keeps the order of the letters of one to one', async () => {
    const processes = await start();
    const count = 500;
    await processes.count(0, 1, count);
    const numbers = processes.numbersOf(1);
    // Doubled they may be, but none overtakes another one.
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).toBeGreaterThan(count / 2);
  });

  it('carries letters of 64 KiB whole, and takes none that is larger', async () => {
    const processes = await start();
    const letter = 'ü'.repeat((LETTER_BYTES_MAX - 2) / 2);
    const isThere = () => processes.lettersOf(2).includes(letter);
    await processes.until(isThere, () => processes.send(0, letter, 2));
    expect(() => processes.send(0, `${letter}x`, 2)).toThrow(TypeError);
  });
}

function whatEnds(start: Start): void {
  it('carries nothing to one that ended to receive, and nothing of it', async () => {
    const processes = await start();
    processes.endReceiving(1);
    processes.send(0, 'late', 1);
    processes.send(1, 'late', 0);
    await processes.settled();
    expect([processes.got[0], processes.got[1]]).toEqual([[], []]);
  });

  it('throws nothing when it is closed', async () => {
    const processes = await start();
    await processes.open.close();
    expect(() => processes.send(0, 'late', 1)).not.toThrow();
  });

  it('carries letters again after its connections broke', async ({ skip }) => {
    const processes = await start();
    if (!processes.open.cut) return skip('It has none that could break.');
    await processes.open.cut();
    await processes.together();
    await processes.count(2, 0, 50);
    const numbers = processes.numbersOf(0);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    return undefined;
  });
}
