/**
 * A batch on its way to a member elsewhere. One that fits into no letter goes in several, and is handed over whole or not at all:
 *
 *     part 0 ──▶ part 1 ──▶ … ──▶ deliver, which says how many positions went before it
 *
 * Letters keep their order, so a part that does not follow on what is there came twice, or one before it was lost. Without all of
 * them the call is not begun, which its owner finds out as of any letter that was lost.
 */
import type { Delivery } from '../../contracts/sink.ts';
import type { JsonObject } from '../../json.ts';
import type { Letter } from '../../peers/envelope.ts';
import { numberOf, numbersOf } from '../../peers/letter-fields.ts';

/** With the largest numbers that there are it takes 51 KB, and a letter 64. */
const POSITIONS_PER_LETTER_MAX = 1_500;

/** The letters of one call; `rest` is what the last of them says besides. */
export function batchLetters(call: number, batch: readonly Delivery[], rest: JsonObject): Letter[] {
  const letters: Letter[] = [];
  let before = 0;
  for (; batch.length - before > POSITIONS_PER_LETTER_MAX; before += POSITIONS_PER_LETTER_MAX) {
    const part = batch.slice(before, before + POSITIONS_PER_LETTER_MAX);
    letters.push({ kind: 'part', call, before, ...encode(part) });
  }
  const last = before === 0 ? batch : batch.slice(before);
  letters.push({ kind: 'deliver', call, ...rest, ...(before === 0 ? {} : { before }), ...encode(last) });
  return letters;
}

export interface ArrivedBatch {
  readonly positions: readonly number[];
  readonly attempts: readonly number[];
}

/** What came of the calls of one owner: one after the other, so there is one at a time that is not whole. */
export class ArrivingBatch {
  #call = 0;
  #positions: number[] = [];
  #attempts: number[] = [];

  part(letter: Letter): void {
    const call = numberOf(letter, 'call');
    const before = numberOf(letter, 'before');
    if (before === 0 && call > this.#call) this.#begin(call);
    if (call !== this.#call || before !== this.#positions.length) return;
    this.#positions.push(...numbersOf(letter, 'positions'));
    this.#attempts.push(...numbersOf(letter, 'attempts'));
  }

  /** `undefined` when a part of it was lost. */
  whole(letter: Letter): ArrivedBatch | undefined {
    const [positions, attempts] = [numbersOf(letter, 'positions'), numbersOf(letter, 'attempts')];
    if (letter['before'] === undefined) return { positions, attempts };
    const isWhole = numberOf(letter, 'call') === this.#call && numberOf(letter, 'before') === this.#positions.length;
    const whole = { positions: [...this.#positions, ...positions], attempts: [...this.#attempts, ...attempts] };
    this.#begin(this.#call);
    return isWhole ? whole : undefined;
  }

  #begin(call: number): void {
    this.#call = call;
    this.#positions = [];
    this.#attempts = [];
  }
}

function encode(batch: readonly Delivery[]) {
  return {
    positions: batch.map(({ record }) => record.place.position),
    attempts: batch.map(({ attempt }) => attempt),
  };
}
