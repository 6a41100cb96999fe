import { Refused, type Step } from './saga.ts';
import type { Services } from './services.ts';

export interface Order {
  readonly item: string;
  readonly euros: number;
  readonly card: 'good' | 'empty';
  readonly carrier: 'fast' | 'silent';
}

// #region steps
/** What an order takes: three services, each of which can say no or not answer. */
export function orderSteps(services: Services, say: (words: string) => void): readonly Step<Order>[] {
  const once = (key: string, effect: string) => {
    const isNew = services.do(key, effect);
    say(isNew ? effect : `${effect} (was done before)`);
  };
  return [
    {
      name: 'reserve-stock',
      run: ({ item }, key) => once(key, `reserved a ${item}`),
      compensate: ({ item }, key) => once(key, `put the ${item} back`),
    },
    {
      name: 'charge-card',
      run({ euros, card }, key) {
        if (card === 'empty') throw new Refused(`the card has no ${euros} EUR`);
        once(key, `charged ${euros} EUR`);
      },
      compensate: ({ euros }, key) => once(key, `paid ${euros} EUR back`),
    },
    {
      name: 'book-carrier',
      run({ carrier, item }, key) {
        if (carrier === 'silent') throw new TypeError('the carrier does not answer');
        once(key, `booked a carrier for the ${item}`);
      },
      compensate: ({ item }, key) => once(key, `told the carrier to leave the ${item}`),
    },
  ];
}
// #endregion
