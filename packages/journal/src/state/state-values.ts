import { EventManagerError, type JsonValue, type StateEntry, type StateKind } from '@event-manager/core';
import type { Damage } from '../damage.ts';
import { errorCode } from '../files/error-code.ts';
import type { OpenFiles } from '../files/open-files.ts';
import { readBytes } from '../files/read-fully.ts';
import { decodeFrame } from '../format/state-frame.ts';
import { withoutPath } from '../without-path.ts';
import type { FramePlace, KeptValue, StateEntries } from './state-entries.ts';

/**
 * Reads values that are not in memory. A snapshot may take a value over and remove the file it was in while it is being
 * read: the place is asked for again then. What does not verify is damage and is never returned.
 */
export class StateValues {
  readonly #entries: StateEntries;
  readonly #files: OpenFiles;
  readonly #report: (damage: Damage) => void;
  /** The frame read last: a snapshot or a page asks for all values of a frame, one after the other. */
  #last: { readonly frame: FramePlace; readonly values: FrameValues } | undefined;
  /** Those being read: whoever asks for a thousand values of a frame at once must not read it a thousand times. */
  readonly #reading = new Map<FramePlace, Promise<FrameValues | undefined>>();

  constructor(entries: StateEntries, files: OpenFiles, report: (damage: Damage) => void) {
    this.#entries = entries;
    this.#files = files;
    this.#report = report;
  }

  /** Reads what is kept under a key. Throws `corrupt_record` when it cannot be read. */
  async entry(kind: StateKind, key: string, found: KeptValue | undefined): Promise<StateEntry | undefined> {
    for (let kept = found; kept !== undefined; kept = this.#entries.get(kind, key)) {
      const { frame, json, revision } = kept;
      if (frame === undefined) return { key, value: JSON.parse(json!) as JsonValue, revision };
      try {
        return { key, value: JSON.parse(await this.#read(kind, key, frame)) as JsonValue, revision };
      } catch (error) {
        const hasMoved = this.#entries.get(kind, key) !== kept || kept.frame !== frame;
        if (errorCode(error) !== 'ENOENT' || !hasMoved) throw withoutPath('Reading state', error);
      }
    }
    return undefined;
  }

  /** The JSON text of a value. */
  async json(kind: StateKind, key: string, { json, frame }: KeptValue): Promise<string> {
    return json ?? this.#read(kind, key, frame!);
  }

  /** Closes a file before it is removed or replaced. */
  drop(file: string): Promise<void> {
    return this.#files.drop(file);
  }

  async #read(kind: StateKind, key: string, frame: FramePlace): Promise<string> {
    const values = this.#last?.frame === frame ? this.#last.values : await this.#valuesOf(frame);
    if (values !== undefined) return JSON.stringify(values.get(nameOf(kind, key)));
    throw new EventManagerError('corrupt_record', 'A stored value does not match its checksum.', { kind, key });
  }

  /** `undefined` when the frame cannot be read, which is reported. */
  async #valuesOf(frame: FramePlace): Promise<FrameValues | undefined> {
    const reading = this.#reading.get(frame) ?? this.#readFrame(frame).finally(() => this.#reading.delete(frame));
    this.#reading.set(frame, reading);
    const values = await reading;
    if (values !== undefined) this.#last = { frame, values };
    return values;
  }

  async #readFrame({ file, at, bytes, seed }: FramePlace): Promise<FrameValues | undefined> {
    const read = await this.#files.use(file, (opened) => readBytes(opened, at, bytes));
    const frame = decodeFrame(read, 0, seed);
    // Of a commit that names a key twice the last one stays; the value is the last part of its row.
    if (frame !== undefined) return new Map(rowsOf(frame.json).map((row) => [nameOf(row[0], row[1]), row.at(-1)!]));
    this.#report({ file, offset: at, reason: 'state entries do not match their checksum' });
    return undefined;
  }
}

type FrameValues = ReadonlyMap<string, JsonValue>;

/** A change of a commit or an entry of a snapshot. */
type Row = readonly [StateKind, string, ...JsonValue[]];

function rowsOf(json: string): readonly Row[] {
  return JSON.parse(json) as Row[];
}

/** No kind has a line feed. */
function nameOf(kind: StateKind, key: string): string {
  return `${kind}\n${key}`;
}
