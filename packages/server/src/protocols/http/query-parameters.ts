import { EventManagerError, jsonPointer } from '@event-manager/core';
import type { FastifyRequest } from 'fastify';

/** The parameters of a query; what one route knows is taken out by name, so that the rest can be refused or read as a whole. */
export class QueryParameters {
  readonly #left: Map<string, string | readonly string[]>;

  constructor(request: FastifyRequest) {
    this.#left = new Map(Object.entries(request.query as Record<string, string | string[]>));
  }

  /** The value of a parameter that may be given once; `others` are further spellings, each also in snake_case. Throws `invalid_query`. */
  one(name: string, ...others: readonly string[]): string | undefined {
    const [given, more] = [...this.#left.keys()].filter((key) => [name, ...others].includes(toCamelCase(key)));
    if (more !== undefined) throw invalidParameter(more, `The parameter ${name} is given twice, in two spellings.`);
    const value = this.#take(given ?? name);
    if (value === undefined || typeof value === 'string') return value;
    throw invalidParameter(given ?? name, 'This parameter may be given once.');
  }

  /** The values of a parameter that may be repeated. */
  many(name: string): readonly string[] | undefined {
    const value = this.#take(name);
    return typeof value === 'string' ? [value] : value;
  }

  oneOf<const Word extends string>(name: string, ...words: readonly Word[]): Word | undefined {
    const value = this.one(name);
    const word = words.find((known) => known === value);
    if (value === undefined || word !== undefined) return word;
    throw invalidParameter(name, `One of ${words.join(', ')} is expected.`);
  }

  wholeNumber(name: string): number | undefined {
    const value = this.one(name);
    if (value === undefined) return undefined;
    if (/^\d{1,15}$/.test(value)) return Number(value);
    throw invalidParameter(name, 'A whole number is expected.');
  }

  /** What nobody took. */
  rest(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#left);
  }

  /** Throws `invalid_query` for a parameter that nobody took: a mistyped one would otherwise widen the answer in silence. */
  assertEmpty(): void {
    const [name] = this.#left.keys();
    if (name !== undefined) throw invalidParameter(name, 'This parameter is not known here.');
  }

  #take(name: string): string | readonly string[] | undefined {
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value;
  }
}

function toCamelCase(key: string): string {
  return key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

export function invalidParameter(name: string, words: string): EventManagerError {
  return new EventManagerError('invalid_query', words, { pointer: jsonPointer('', name) });
}
