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
  #last: { readonly frame: FramePlace; readonly rows: readonly Row[] } | undefined;

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
    if (this.#last?.frame !== frame) this.#last = { frame, rows: await this.#rows(kind, key, frame) };
    // The last one of a commit that names a key twice; the value is the last part of its row.
    const row = this.#last.rows.findLast((candidate) => candidate[0] === kind && candidate[1] === key)!;
    return JSON.stringify(row.at(-1));
  }

  async #rows(kind: StateKind, key: string, { file, at, bytes, seed }: FramePlace): Promise<readonly Row[]> {
    const read = await this.#files.use(file, (opened) => readBytes(opened, at, bytes));
    const frame = decodeFrame(read, 0, seed);
    if (frame !== undefined) return JSON.parse(frame.json) as Row[];
    this.#report({ file, offset: at, reason: 'state entries do not match their checksum' });
    throw new EventManagerError('corrupt_record', 'A stored value does not match its checksum.', { kind, key });
  }
}

/** A change of a commit or an entry of a snapshot. */
type Row = readonly [StateKind, string, ...JsonValue[]];
