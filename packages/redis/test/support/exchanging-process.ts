import type { JsonValue } from '@event-manager/core';
import type { Link } from '../../src/connect/link.ts';
import type { BesideExchange } from '../../src/exchange/beside-exchange.ts';
import { type EndOptions, ExchangeEnd } from './exchange-end.ts';

/** Sent to see which way it goes. */
export const PROBE = 'probe';

/** One end of the exchange, as a process has it, with what arrived. */
export class ExchangingProcess {
  readonly name: string;
  readonly received: { readonly letter: JsonValue; readonly from: string }[] = [];
  changes = 0;
  readonly #ends: ExchangeEnd;
  readonly #end: () => void;

  private constructor(name: string, options: EndOptions) {
    this.name = name;
    this.#ends = new ExchangeEnd({ ...options, onChanged: () => this.changes++ });
    this.#end = this.exchange.receive(name, (letter, from) => {
      if (letter !== PROBE) this.received.push({ letter, from });
    });
  }

  static async start({ name, ...options }: EndOptions & { name: string }) {
    const process = new ExchangingProcess(name, options);
    await process.link.start();
    return process;
  }

  get exchange(): BesideExchange {
    return this.#ends.exchange;
  }

  get link(): Link {
    return this.#ends.link;
  }

  /** The numbers that came from somebody, in the order of their coming. */
  numbersFrom(name: string): number[] {
    return this.received.flatMap(({ letter, from }) => (from === name ? [(letter as { n: number }).n] : []));
  }

  close(): void {
    this.#end();
    this.link.close();
  }
}
