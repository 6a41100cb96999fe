/*
 * Publishers say the same few types, sources and topics again and again. What was checked once is looked up afterwards,
 * which costs less than checking and, more important, gives the text back in one piece: a text that its publisher
 * concatenated stays a tree inside V8, and one tree among the names makes `JSON.stringify` of the whole event take three
 * times as long (Node 26: 1.2 µs against 0.4).
 *
 * What is kept is bounded in number and length. When it is full nothing enters until about as many texts again were
 * missed: names that never come back, with an id in them for example, must not cost a rebuilding each.
 */
const TEXTS_MAX = 4096;
const CHARACTERS_MAX = 256;

/** A bounded memory from texts to what is known of them. */
export class KnownTexts<Known> {
  #known = new Map<string, Known>();
  #missed = 0;

  get(text: string): Known | undefined {
    return this.#known.get(text);
  }

  /** `inOnePiece` is the text as `onePiece` gives it, so that nothing of the publisher's memory is held. */
  put(inOnePiece: string, known: Known): void {
    if (inOnePiece.length > CHARACTERS_MAX) return;
    if (this.#known.size === TEXTS_MAX) {
      if (++this.#missed < TEXTS_MAX) return;
      this.#known = new Map();
      this.#missed = 0;
    }
    this.#known.set(inOnePiece, known);
  }
}

/** The same text in memory of its own, not made of parts of others. It must be well-formed. */
export function onePiece(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
