import { type Exchange, systemRuntime } from '@event-manager/core';
import { Link } from '../../src/connect/link.ts';
import { readUrl } from '../../src/connect/read-url.ts';
import { BesideExchange } from '../../src/exchange/beside-exchange.ts';

export interface EndOptions {
  readonly url: string;
  readonly other: Exchange;
  readonly keyPrefix: string;
  readonly onChanged?: () => void;
}

let lives = 0;

/** What one process has of the exchange, without a store. */
export class ExchangeEnd {
  readonly link: Link;
  readonly exchange: BesideExchange;

  constructor({ url, other, keyPrefix, onChanged = () => {} }: EndOptions) {
    const places = { all: `${keyPrefix}all`, one: (to: string) => `${keyPrefix}to:${to}` };
    this.link = new Link({
      address: readUrl(url),
      runtime: systemRuntime,
      beat: () => ({ place: places.all, text: this.exchange.beat() }),
      onChange: () => this.exchange.changed(),
    });
    this.exchange = new BesideExchange({
      ...{ link: this.link, other, life: `life-${++lives}`, places, runtime: systemRuntime, onChanged },
    });
    void this.link.hear(places.all, (text) => this.exchange.heard(text));
  }
}
