/**
 * What stands in the database, format 1. A position is eight bytes, big-endian, so that keys are in the order of numbers.
 *
 *     m format                       the number of this format, as text
 *     e position                     an event: recorded at (float64), id (16 bytes), type, topic (each with its length before it,
 *                                    uint16, UTF-8), and behind them the JSON of the event
 *     i id                           its position
 *     t topic 0 position             nothing: the events of one topic, in their order
 *     y type 0 position              nothing: those of one type
 *     s name                         a snapshot, as JSON
 *
 * All entries of an event are written by one batch, which LevelDB keeps or loses as a whole. Positions are without holes, and the
 * times of events never go back, so a time is found by halving. Neither a topic nor a type has a NUL character.
 */
import { uuidBytes, uuidText } from '@event-manager/core';

export const FORMAT = '1';
export const FORMAT_KEY: Buffer = Buffer.from('m format');

const POSITION_BYTES = 8;
const ID_BYTES = 16;
const TIME_BYTES = 8;
const LENGTH_BYTES = 2;

/** An event as it stands in the database. */
export interface LevelRecord {
  readonly recordedAtMs: number;
  readonly id: string;
  readonly type: string;
  /** Canonical. */
  readonly topic: string;
  readonly body: Uint8Array;
}

export function positionBytes(position: number): Buffer {
  const bytes = Buffer.allocUnsafe(POSITION_BYTES);
  bytes.writeBigUInt64BE(BigInt(position));
  return bytes;
}

/** The position at the end of a key, or that is a value. */
export function positionIn(bytes: Uint8Array): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Number(buffer.readBigUInt64BE(buffer.length - POSITION_BYTES));
}

export function eventKey(position: number): Buffer {
  return Buffer.concat([Buffer.from('e'), positionBytes(position)]);
}

export function idKey(id: string): Buffer {
  const key = Buffer.allocUnsafe(1 + ID_BYTES);
  key.write('i', 0, 'latin1');
  uuidBytes(id, key, 1);
  return key;
}

/** The key of an entry of the indexes: `t` by topic, `y` by type. */
export function indexKey(index: 't' | 'y', text: string, position: number): Buffer {
  return Buffer.concat([Buffer.from(`${index}${text}\0`), positionBytes(position)]);
}

export function snapshotKey(name: string): Buffer {
  return Buffer.from(`s${name}`);
}

export function encodeRecord({ recordedAtMs, id, type, topic, body }: LevelRecord): Buffer {
  const [typeText, topicText] = [Buffer.from(type), Buffer.from(topic)];
  const lengths = TIME_BYTES + ID_BYTES + LENGTH_BYTES + typeText.length + LENGTH_BYTES + topicText.length;
  const bytes = Buffer.allocUnsafe(lengths + body.byteLength);
  let at = bytes.writeDoubleBE(recordedAtMs);
  uuidBytes(id, bytes, at);
  at += ID_BYTES;
  for (const text of [typeText, topicText]) {
    at = bytes.writeUInt16BE(text.length, at);
    at += text.copy(bytes, at);
  }
  bytes.set(body, at);
  return bytes;
}

export function decodeRecord(bytes: Buffer): LevelRecord {
  const id = uuidText(bytes, TIME_BYTES);
  const [type, afterType] = textAt(bytes, TIME_BYTES + ID_BYTES);
  const [topic, afterTopic] = textAt(bytes, afterType);
  return { recordedAtMs: recordedAtOf(bytes), id, type, topic, body: bytes.subarray(afterTopic) };
}

export function recordedAtOf(bytes: Buffer): number {
  return bytes.readDoubleBE(0);
}

function textAt(bytes: Buffer, at: number): [text: string, end: number] {
  const from = at + LENGTH_BYTES;
  const end = from + bytes.readUInt16BE(at);
  return [bytes.toString('utf8', from, end), end];
}
