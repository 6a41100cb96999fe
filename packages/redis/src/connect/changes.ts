import type { Link } from './link.ts';

/**
 * Tells the other processes that something changed. At most one word is under way: what changes meanwhile is told by the one
 * behind it. One that is lost, with the process or the connection, is what the slow poll of whoever waits is for.
 */
export class Changes {
  readonly #link: Link;
  readonly #word: () => { readonly place: string; readonly text: string };
  #isUnderWay = false;
  #isDueAgain = false;

  constructor(link: Link, word: () => { readonly place: string; readonly text: string }) {
    this.#link = link;
    this.#word = word;
  }

  announce(): void {
    this.#isDueAgain = true;
    if (!this.#isUnderWay) void this.#announceAll();
  }

  async #announceAll(): Promise<void> {
    this.#isUnderWay = true;
    while (this.#isDueAgain) {
      this.#isDueAgain = false;
      const { place, text } = this.#word();
      await this.#link.say(place, text);
    }
    this.#isUnderWay = false;
  }
}
