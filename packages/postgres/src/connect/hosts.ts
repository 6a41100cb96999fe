/**
 * The servers that a url names, as in `postgresql://user:word@one:5432,two:5432/events`: copies of one database, of which one takes
 * writes at a time. All connections go to one of them; when it does not serve any more it is the turn of the next.
 */
export class Hosts {
  readonly #urls: readonly string[];
  #turn = 0;

  constructor(url: string) {
    const [from, to] = placeOfHosts(url);
    const names = url.slice(from, to).split(',');
    this.#urls = names.length < 2 ? [url] : names.map((host) => `${url.slice(0, from)}${host}${url.slice(to)}`);
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

/** Behind `scheme://user:password@`, up to what follows the hosts. */
function placeOfHosts(url: string): [from: number, to: number] {
  const schemeEnd = url.indexOf('://');
  if (schemeEnd < 0) return [0, 0];
  const authorityAt = schemeEnd + 3;
  const length = url.slice(authorityAt).search(/[/?#]/);
  const to = length < 0 ? url.length : authorityAt + length;
  const accountEnd = url.slice(authorityAt, to).lastIndexOf('@');
  return [authorityAt + accountEnd + 1, to];
}
