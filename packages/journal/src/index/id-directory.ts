import type { Segment } from '../log/segment.ts';

/*
 * Which sealed segment may hold an id, answered from memory. A generation is an open-addressing table of 2^21 slots of
 * four bytes, [16 bits of the id's hash | number of the segment within the generation + 1]; the slot is chosen by the upper
 * 21 bits of the hash, so slot and entry together hold the whole hash and entries inserted in hash order touch memory in
 * order. A generation takes ids until it is two thirds full; then the next one begins, so no table is ever rehashed and a
 * seal costs the same at 10 million events as at one.
 *
 * The answer may be wrong in one direction only: a segment is named that does not hold the id, about once in 430 lookups
 * at 10 million ids, which costs a few reads. The record itself decides.
 */

const SLOT_BITS = 21;
const SLOTS = 1 << SLOT_BITS;
const IDS_PER_GENERATION_MAX = Math.floor((SLOTS * 2) / 3);
const SEGMENTS_PER_GENERATION_MAX = 0xfffe;
/** More than 16 million remembered ids; when another generation is needed the oldest is forgotten. */
const GENERATIONS_MAX = 12;

interface Generation {
  readonly slots: Uint32Array;
  readonly segments: (Segment | undefined)[];
  used: number;
}

export class IdDirectory {
  #generations: Generation[] = [];

  /** Enters ids given by their hashes, best in ascending order. Yields now and then, so that the caller may pause. */
  *add(segment: Segment, hashes: Uint32Array, pauseEvery: number): Generator<void> {
    let generation: Generation | undefined;
    let number = 0;
    for (let index = 0; index < hashes.length; index++) {
      if (generation === undefined || generation.used >= IDS_PER_GENERATION_MAX) {
        generation = this.#generationWithRoom();
        number = generation.segments.push(segment);
      }
      enter(generation, hashes[index]!, number);
      if (index % pauseEvery === pauseEvery - 1) yield;
    }
  }

  /** Segments that may hold an id with this hash. Almost always none, and then nothing is allocated. */
  candidates(hash: number): Segment[] | undefined {
    let found: Segment[] | undefined;
    for (const { slots, segments } of this.#generations) {
      let slot = hash >>> (32 - SLOT_BITS);
      for (let entry = slots[slot]!; entry !== 0; entry = slots[slot]!) {
        if (entry >>> 16 === (hash & 0xffff)) {
          const segment = segments[(entry & 0xffff) - 1];
          if (segment !== undefined && !found?.includes(segment)) (found ??= []).push(segment);
        }
        slot = (slot + 1) & (SLOTS - 1);
      }
    }
    return found;
  }

  /** Forgets a segment that was trimmed. A generation without segments gives its memory back. */
  remove(segment: Segment): void {
    for (const { segments } of this.#generations) {
      for (let index = 0; index < segments.length; index++)
        if (segments[index] === segment) segments[index] = undefined;
    }
    const newest = this.#generations.at(-1);
    this.#generations = this.#generations.filter(
      (generation) => generation === newest || generation.segments.some((kept) => kept !== undefined),
    );
  }

  get memoryBytes(): number {
    return this.#generations.length * SLOTS * 4;
  }

  #generationWithRoom(): Generation {
    const newest = this.#generations.at(-1);
    if (
      newest !== undefined &&
      newest.used < IDS_PER_GENERATION_MAX &&
      newest.segments.length < SEGMENTS_PER_GENERATION_MAX
    ) {
      return newest;
    }
    const generation: Generation = { slots: new Uint32Array(SLOTS), segments: [], used: 0 };
    this.#generations.push(generation);
    if (this.#generations.length > GENERATIONS_MAX) this.#generations.shift();
    return generation;
  }
}

function enter(generation: Generation, hash: number, number: number): void {
  const { slots } = generation;
  let slot = hash >>> (32 - SLOT_BITS);
  while (slots[slot] !== 0) slot = (slot + 1) & (SLOTS - 1);
  slots[slot] = (((hash & 0xffff) << 16) | number) >>> 0;
  generation.used++;
}
