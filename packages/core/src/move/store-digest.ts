import { createHash } from 'node:crypto';
import type { Recorded } from '../contracts/event-store.ts';
import { STATE_KINDS, type StateEntry, type StateKind } from '../contracts/state-store.ts';

/** Position, time of recording, lane, flags, bytes of the topic, bytes of the body. */
const HEADER_BYTES = 8 + 8 + 1 + 1 + 4 + 4;

/**
 * A checksum over what a store keeps, read in order: every event with position, time, lane, flags and bytes, then every record
 * of the state with its kind. Two stores with the same one hold the same. Revisions are left out: they count the commits of one
 * store and are compared within it alone.
 */
export class StoreDigest {
  readonly #hash = createHash('sha256');
  readonly #header = Buffer.alloc(HEADER_BYTES);
  events = 0;
  bytes = 0;
  records = 0;

  addEvent({ id, place, recordedAtMs, topic, lane, flags, body }: Recorded): void {
    const header = this.#header;
    const name = Buffer.from(topic);
    header.writeDoubleLE(place.position, 0);
    header.writeDoubleLE(recordedAtMs, 8);
    header.writeUInt8(lane, 16);
    header.writeUInt8(flags, 17);
    header.writeUInt32LE(name.length, 18);
    header.writeUInt32LE(body.length, 22);
    this.#hash.update(header).update(id).update(name).update(body);
    this.events++;
    this.bytes += body.length;
  }

  addRecord(kind: StateKind, { key, value }: StateEntry): void {
    // As JSON the three cannot be mistaken for one another, and every key has a form of its own.
    this.#hash.update(JSON.stringify([STATE_KINDS.indexOf(kind), key, value]));
    this.records++;
  }

  /** In hexadecimal. Nothing can be added afterwards. */
  text(): string {
    return this.#hash.digest('hex');
  }
}
