import type { Position } from '../../contracts/event-store.ts';

/** Enough for a handler that takes its time: of a thousand such subscriptions none takes the room of the others. */
const FIRST = 8;
const MOST = 128;
/** Bodies of one reading together, as far as that can be known before. */
const BYTES_MAX = 1024 * 1024;
/** Whoever asks again so soon has used up what was read. */
const SOON_MS = 100;

/**
 * How many bodies a subscription that is behind has read at once. One that soon comes back for more gets twice as many: at
 * eight a reading, a million events took a hundred thousand readings. One that comes back for what was read already gets few
 * again, for there was no room to keep more.
 */
export class ReadAhead {
  size = FIRST;
  #from: Position = -1;
  #through: Position = -1;
  #atMs = Number.NEGATIVE_INFINITY;

  /** These are read at `nowMs`, where a body has so many bytes on average. */
  asked(positions: readonly Position[], nowMs: number, bytesEach: number): void {
    const first = positions[0]!;
    const wasLost = first >= this.#from && first <= this.#through;
    const isSoon = nowMs - this.#atMs <= SOON_MS;
    const room = Math.max(FIRST, Math.floor(BYTES_MAX / Math.max(1, bytesEach)));
    this.size = wasLost || !isSoon ? FIRST : Math.min(MOST, room, this.size * 2);
    this.#from = first;
    this.#through = positions.at(-1)!;
    this.#atMs = nowMs;
  }
}
