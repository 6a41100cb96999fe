import { type Exchange, type JsonValue, systemRuntime } from '@event-manager/core';
import { Link } from '../../src/connect/link.ts';
import { readUrl } from '../../src/connect/read-url.ts';
import { BesideExchange } from '../../src/exchange/beside-exchange.ts';

/** Sent to see which way it goes. */
export const PROBE = 'probe';

let lives = 0;

/** One end of the exchange, as a process has it, with what arrived. */
export class ExchangingProcess {
  readonly name: string;
  readonly exchange: BesideExchange;
  readonly link: Link;
  readonly received: { readonly letter: JsonValue; readonly from: string }[] = [];
  changes = 0;
  readonly #end: () => void;

  private constructor(name: string, url: string, other: Exchange, keyPrefix: string) {
    this.name = name;
    const places = { all: `${keyPrefix}all`, one: (to: string) => `${keyPrefix}to:${to}` };
    const life = `${name}-${++lives}`;
    this.link = new Link({
      address: readUrl(url),
      runtime: systemRuntime,
      beat: { place: places.all, text: () => this.exchange.beat() },
      onChange: () => this.exchange.changed(),
    });
    this.exchange = new BesideExchange({
      ...{ link: this.link, other, life, places, runtime: systemRuntime },
      onChanged: () => this.changes++,
    });
    void this.link.hear(places.all, (text) => this.exchange.heard(text));
    this.#end = this.exchange.receive(name, (letter, from) => {
      if (letter !== PROBE) this.received.push({ letter, from });
    });
  }

  static async start(options: { name: string; url: string; other: Exchange; keyPrefix: string }) {
    const process = new ExchangingProcess(options.name, options.url, options.other, options.keyPrefix);
    await process.link.start();
    return process;
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
