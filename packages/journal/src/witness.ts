import type { Cancel, DiskFile } from '@event-manager/core';
import type { FailStop } from './fail-stop.ts';
import { WITNESS_FILE } from './files/file-names.ts';
import type { Folder } from './files/folder.ts';
import { writeFully } from './files/write-fully.ts';
import {
  decodeWitnessSector,
  encodeWitnessSector,
  NOTHING_WITNESSED,
  WITNESS_SECTOR_BYTES,
  type Witnessed,
} from './format/witness-sector.ts';

/*
 * The witness says how far the log and the state were durable at some recent moment, so that a file that is shorter or
 * damaged before that place is known to be damaged and is never mistaken for the torn tail of a crash.
 *
 * Protocol. A witness is written only after what it names was synced, so it never says too much. It is written and synced
 * `INTERVAL_MS` after the first change that it does not name yet, and at once when the directory is opened, trimmed or
 * closed: one more sync a second, none per batch. Writes alternate between two sectors and each is synced before the next
 * begins, so a crash can tear one sector while the other one holds. The one with the higher sequence counts.
 *
 * Whoever opens cannot know whether the sector it reads as the newest is on the disk: its sync may have failed, and then only
 * the page cache has it. So it writes that sector once more, in its place, and syncs it before it lets go of the other one.
 *
 * After a crash the witness is at most `INTERVAL_MS` and one write old. Records behind the place it names are judged by the
 * durable marks that later records carry.
 */

const INTERVAL_MS = 1_000;

export interface WitnessReading {
  /** `NOTHING_WITNESSED` when no sector can be read. */
  readonly last: Witnessed;
  /** Offsets of sectors that are there but damaged. */
  readonly damagedAt: readonly number[];
  readonly exists: boolean;
}

/** Reads without changing anything. */
export async function readWitness(folder: Folder): Promise<WitnessReading> {
  const bytes = await folder.readFile(WITNESS_FILE);
  if (bytes === undefined) return { last: NOTHING_WITNESSED, damagedAt: [], exists: false };
  let last = NOTHING_WITNESSED;
  const damagedAt: number[] = [];
  for (const at of [0, WITNESS_SECTOR_BYTES]) {
    const witnessed = decodeWitnessSector(bytes.subarray(at, at + WITNESS_SECTOR_BYTES));
    if (witnessed === undefined) damagedAt.push(at);
    else if (witnessed.sequence > last.sequence) last = witnessed;
  }
  if (bytes.length > 2 * WITNESS_SECTOR_BYTES) damagedAt.push(2 * WITNESS_SECTOR_BYTES);
  return { last, damagedAt, exists: true };
}

export class Witness {
  readonly #folder: Folder;
  readonly #failStop: FailStop;
  /** Absent in a directory that may not be written to. */
  readonly #file: DiskFile | undefined;
  #witnessed: Witnessed;
  #changed = false;
  #cancelTimer: Cancel | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(folder: Folder, failStop: FailStop, file: DiskFile | undefined, last: Witnessed) {
    this.#folder = folder;
    this.#failStop = failStop;
    this.#file = file;
    this.#witnessed = last;
  }

  /** Opens the file for writing. A new one gets both sectors at once, so that from then on an empty sector is damage. */
  static async open(folder: Folder, failStop: FailStop, reading: WitnessReading): Promise<Witness> {
    const { exists, last } = reading;
    if (!exists) await folder.replaceFile(WITNESS_FILE, [encodeWitnessSector(last), encodeWitnessSector(last)]);
    const file = await folder.open(WITNESS_FILE, 'write');
    const witness = new Witness(folder, failStop, file, last);
    if (exists) await witness.#writeSector(file);
    return witness;
  }

  /** A witness that only remembers. */
  static readOnly(folder: Folder, failStop: FailStop, reading: WitnessReading): Witness {
    return new Witness(folder, failStop, undefined, reading.last);
  }

  get last(): Witnessed {
    return this.#witnessed;
  }

  /** Takes note of something that was synced; the witness names it within `INTERVAL_MS`. */
  note(change: Partial<Witnessed>): void {
    this.#witnessed = { ...this.#witnessed, ...change };
    this.#changed = true;
    this.#cancelTimer ??= this.#folder.runtime.timers.after(INTERVAL_MS, () => {
      this.#cancelTimer = undefined;
      // A failure has stopped the store by now and shows in its health and in the next call.
      this.write().catch(() => {});
    });
  }

  /** Resolves when everything noted so far is named by a synced sector. */
  write(change: Partial<Witnessed> = {}): Promise<void> {
    this.#witnessed = { ...this.#witnessed, ...change };
    this.#changed = true;
    const written = this.#writing.then(() => this.#writeOnce());
    this.#writing = written.catch(() => {});
    return written;
  }

  async close(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    await this.#writing;
    await this.#file?.close();
  }

  async #writeOnce(): Promise<void> {
    if (!this.#changed || this.#file === undefined) return;
    this.#failStop.assertRunning();
    this.#changed = false;
    this.#witnessed = { ...this.#witnessed, sequence: this.#witnessed.sequence + 1 };
    await this.#writeSector(this.#file);
  }

  /** Writes what is noted to the sector that its sequence belongs to, durably. */
  async #writeSector(file: DiskFile): Promise<void> {
    const at = (this.#witnessed.sequence % 2) * WITNESS_SECTOR_BYTES;
    try {
      this.#folder.failpoint('journal.witness.write.before');
      await writeFully(file, encodeWitnessSector(this.#witnessed), at, this.#folder.runtime);
      this.#folder.failpoint('journal.witness.write.after');
    } catch (error) {
      throw this.#failStop.stop('writing the witness', error);
    }
    this.#folder.failpoint('journal.witness.sync.before');
    await this.#failStop.sync(file, 'syncing the witness', this.#folder.runtime);
    this.#folder.failpoint('journal.witness.sync.after');
  }
}
