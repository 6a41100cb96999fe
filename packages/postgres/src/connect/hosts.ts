/** `scheme://`, `user:password@`, the hosts, and what follows them. */
const URL_PARTS = /^([a-z]+:\/\/)([^/?#]*@)?([^/?#@]*)([/?#].*)?$/i;

/**
 * The servers that a url names, as in `postgresql://user:word@one:5432,two:5432/events`: copies of one database, of which one takes
 * writes at a time. All connections go to one of them; when it does not serve any more it is the turn of the next.
 */
export class Hosts {
  readonly #urls: readonly string[];
  #turn = 0;

  constructor(url: string) {
    const [, scheme = '', account = '', hosts = '', rest = ''] = URL_PARTS.exec(url) ?? [];
    const names = hosts.split(',');
    this.#urls = names.length < 2 ? [url] : names.map((host) => `${scheme}${account}${host}${rest}`);
  }

  get count(): number {
    return this.#urls.length;
  }

  get url(): string {
    return this.#urls[this.#turn % this.count]!;
  }

  /** Which choice `url` is: what fails later than it began may find that somebody else has moved on already. */
  get turn(): number {
    return this.#turn;
  }

  /** The choice that was made then does not serve. */
  passOver(turn: number): void {
    if (turn === this.#turn) this.#turn++;
  }
}
