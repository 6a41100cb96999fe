import type { JsonValue } from '@event-manager/core';

/** Of one process since it was opened, so that one that comes again under its name is not taken for the earlier one. */
export type Life = string;

/** What is said at a place of Redis, as a JSON array that begins with its kind and the life of who said it. */
export type Said =
  /** Something changed in the store. */
  | readonly ['changed', Life]
  /** Shows that the server answers; with a name it also shows that letters reach it there, since which turn of it. */
  | readonly ['beat', Life]
  | readonly ['beat', Life, string, number]
  | readonly ['letter', Life, string, number, JsonValue];

/** Undefined for what nobody of this version says: others may use the same server, by mistake or by intent. */
export function readSaid(text: string): Said | undefined {
  const said = parsed(text);
  if (!Array.isArray(said) || typeof said[1] !== 'string') return undefined;
  const [kind, , name, number] = said as readonly unknown[];
  const isSigned = typeof name === 'string' && typeof number === 'number';
  const isKnown =
    ((kind === 'changed' || kind === 'beat') && said.length === 2) ||
    (kind === 'beat' && said.length === 4 && isSigned) ||
    (kind === 'letter' && said.length === 5 && isSigned);
  return isKnown ? (said as unknown as Said) : undefined;
}

/**
 * What a process that uses Redis puts around letters that go the other way, so that both ways have one count; without a letter
 * it only says whether letters reach it at Redis.
 */
export interface Sealed {
  readonly besideRedis: {
    readonly life: Life;
    readonly number: number;
    readonly isThere: boolean;
    /** Grows whenever that changes: what is said of an earlier turn has come late. */
    readonly turn: number;
    /** Something changed in the store, and not everybody was told at Redis. */
    readonly hasChanged?: boolean;
  };
  readonly letter?: JsonValue;
}

/** Undefined for a letter of somebody who does not use Redis. */
export function readSealed(letter: JsonValue): Sealed | undefined {
  if (letter === null || typeof letter !== 'object' || Array.isArray(letter)) return undefined;
  const seal = (letter as { besideRedis?: Partial<Sealed['besideRedis']> }).besideRedis;
  const isCounted = typeof seal?.number === 'number' && typeof seal.turn === 'number';
  const isOurs = isCounted && typeof seal.life === 'string' && typeof seal.isThere === 'boolean';
  return isOurs ? (letter as unknown as Sealed) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
