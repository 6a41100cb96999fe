import { type Exchange, type JsonValue, LETTER_BYTES_MAX } from '@event-manager/core';

/** The other way of letters: an exchange between the processes of one test, in order and a little late. */
export class PostOffice {
  /** Letters that went this way, apart from those that only say how things are. */
  readonly carried: JsonValue[] = [];
  readonly #receivers = new Map<string, (letter: JsonValue, from: string) => void>();

  exchange(): Exchange {
    let from: string | undefined;
    return {
      send: (letter, to) => {
        const text = JSON.stringify(letter);
        if (Buffer.byteLength(text) > LETTER_BYTES_MAX) throw new TypeError('A letter is too large.');
        if (from === undefined) return;
        if (!isOnlyState(letter)) this.carried.push(letter);
        const sender = from;
        for (const name of to === undefined ? [...this.#receivers.keys()] : [to]) {
          if (name !== sender) setTimeout(() => this.#receivers.get(name)?.(JSON.parse(text), sender), 3);
        }
      },
      receive: (self, onLetter) => {
        from = self;
        this.#receivers.set(self, onLetter);
        return () => {
          from = undefined;
          this.#receivers.delete(self);
        };
      },
    };
  }
}

function isOnlyState(letter: JsonValue): boolean {
  return typeof letter === 'object' && letter !== null && 'besideRedis' in letter && !('letter' in letter);
}
