import { boundedText } from './bounded-text.ts';
import type { EventText } from './event-input.ts';

/**
 * The values of a JSON array, each as soon as it is there. Only as much JSON is understood as finding their ends takes: strings,
 * escapes and nesting; whoever parses the values finds every other mistake.
 *
 *     before ──[──▶ between ──value──▶ inside ──, or ]──▶ between or after
 */
export async function* splitArray(chunks: AsyncIterable<string>): AsyncGenerator<EventText> {
  const splitter = new ArraySplitter();
  for await (const chunk of chunks) yield* splitter.feed(chunk);
  splitter.end();
}

class ArraySplitter {
  #state: 'before' | 'between' | 'inside' | 'after' = 'before';
  #value = '';
  #valueLine = 1;
  #line = 1;
  #depth = 0;
  #isText = false;
  #isEscaped = false;

  *feed(chunk: string): Generator<EventText> {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const character = chunk[at]!;
      if (this.#state === 'inside') {
        if (this.#continues(character)) continue;
        const text = this.#value + chunk.slice(from, at);
        this.#value = '';
        yield { text, line: this.#valueLine };
        this.#state = character === ']' ? 'after' : 'between';
      } else if (this.#opens(character)) {
        from = at;
      }
      if (character === '\n') this.#line += 1;
    }
    if (this.#state === 'inside') this.#value = boundedText(this.#value + chunk.slice(from));
  }

  end(): void {
    if (this.#state === 'after') return;
    throw new SyntaxError(`The array is not closed (line ${this.#line}).`);
  }

  /** True when a value begins with this character. */
  #opens(character: string): boolean {
    if (/\s/.test(character)) return false;
    if (this.#state === 'before') {
      this.#state = 'between';
      return false;
    }
    if (this.#state === 'after') throw new SyntaxError(`There is something behind the array (line ${this.#line}).`);
    if (character === ']') {
      this.#state = 'after';
      return false;
    }
    this.#state = 'inside';
    this.#valueLine = this.#line;
    this.#depth = 0;
    this.#isText = false;
    this.#continues(character);
    return true;
  }

  /** False for the comma or bracket behind the value. */
  #continues(character: string): boolean {
    if (this.#isText) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (character === '\\') this.#isEscaped = true;
      else if (character === '"') this.#isText = false;
      return true;
    }
    if (this.#depth === 0 && (character === ',' || character === ']')) return false;
    if (character === '\n') this.#line += 1;
    if (character === '"') this.#isText = true;
    if (character === '{' || character === '[') this.#depth += 1;
    if (character === '}' || character === ']') this.#depth -= 1;
    return true;
  }
}
