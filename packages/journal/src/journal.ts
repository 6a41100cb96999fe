import {
  type AdapterHealth,
  type Departure,
  type Disk,
  EventManagerError,
  type Extent,
  LocalLeases,
  type LostRange,
  type MovableAdapter,
  type Restoration,
  type Runtime,
  refuseUnknownOptions,
  type Supports,
  systemRuntime,
} from '@event-manager/core';
import { copyAside, DamageRegister } from './damage.ts';
import { FailStop } from './fail-stop.ts';
import { LOCK_FILE, RESERVE_FILE, stateLogFile, TEMPORARY_SUFFIX, TORN_DIR, WITNESS_FILE } from './files/file-names.ts';
import { Folder } from './files/folder.ts';
import { nodeDisk } from './files/node-disk.ts';
import { OpenFiles } from './files/open-files.ts';
import { EventLog } from './log/event-log.ts';
import { FullDisk } from './log/full-disk.ts';
import { listSegments } from './log/list-segments.ts';
import { loadLog, startLog } from './log/open-log.ts';
import type { RestoreLog } from './log/restore-log.ts';
import { sparePositions } from './log/spare-positions.ts';
import { openingAdvice } from './opening-advice.ts';
import { assertInUse, assertThere, beginAnew, markMoved, markWhole, unmarkMoved } from './standing.ts';
import { CommitLoop } from './state/commit-loop.ts';
import { type RecoveredState, recoverState } from './state/recover-state.ts';
import { StateJournal } from './state/state-journal.ts';
import { StateLog } from './state/state-log.ts';
import { StateValues } from './state/state-values.ts';
import { writeSnapshot } from './state/write-snapshot.ts';
import { readWitness, Witness, type WitnessReading } from './witness.ts';

export interface JournalOptions {
  /** Where everything is kept; made when it is not there. One process at a time. */
  readonly directory: string;
  readonly disk?: Disk;
  readonly runtime?: Runtime;
  /** A segment is sealed at this size. Retention removes whole segments. */
  readonly segmentBytesMax?: number;
  /** The state log is folded into a snapshot at this size, or at twice the size of the state. */
  readonly stateLogBytesMax?: number;
  /** Space that is set aside so that debts can be settled while the disk is full. */
  readonly reserveBytes?: number;
}

/** Complete by its type: an option that is missing here does not compile. */
const OPTION_NAMES: { readonly [Name in keyof Required<JournalOptions>]: true } = {
  directory: true,
  segmentBytesMax: true,
  stateLogBytesMax: true,
  reserveBytes: true,
  disk: true,
  runtime: true,
};

export const SEGMENT_BYTES_MAX_DEFAULT = 64 << 20;
const STATE_LOG_BYTES_MAX_DEFAULT = 8 << 20;
const RESERVE_BYTES_DEFAULT = 16 << 20;
/** Offsets in segments are 32-bit. */
const SEGMENT_BYTES_LIMIT = 2 ** 31;

const SUPPORTS: Supports = Object.freeze({
  totalOrder: true,
  dedup: 'window',
  query: 'index',
  shared: false,
  trim: true,
  durability: 'synced',
});

/** Keeps events and state in one directory of this machine, durable at every answer. See `docs/storage-format.md`. */
export function journal(options: JournalOptions): MovableAdapter {
  // JavaScript may give nothing: then it is told what is needed.
  return new Journal(options ?? ({} as JournalOptions));
}

interface ReadableState extends RecoveredState {
  readonly values: StateValues;
}

/** What `open` took and `close`, or an `open` that fails further on, gives back: newest last, each put down as soon as it is held. */
type Release = () => Promise<void>;

/*
 * Opening, in this order: lock, witness, log, state, then the witness says durably that the directory is in use and which
 * epoch this is. Until then nothing was promised, so a crash while opening leaves the next opening the same work.
 * With damage nothing of the log or state is changed: reads are served, everything else refuses.
 */
class Journal implements MovableAdapter {
  readonly name = 'journal';
  readonly supports = SUPPORTS;
  readonly store = new EventLog();
  readonly state = new StateJournal();
  readonly #folder: Folder;
  readonly #failStop = new FailStop();
  readonly #damage: DamageRegister;
  readonly #fullDisk: FullDisk;
  readonly #segmentBytesMax: number;
  readonly #stateLogBytesMax: number;
  readonly #releases: Release[] = [];

  constructor(options: JournalOptions) {
    refuseUnknownOptions(options, Object.keys(OPTION_NAMES), 'journal');
    const { directory, disk = nodeDisk, runtime = systemRuntime } = options;
    if (typeof directory !== 'string' || directory === '') throw new TypeError('journal needs a directory.');
    this.#segmentBytesMax = options.segmentBytesMax ?? SEGMENT_BYTES_MAX_DEFAULT;
    if (!(this.#segmentBytesMax > 0 && this.#segmentBytesMax <= SEGMENT_BYTES_LIMIT)) {
      throw new TypeError(`segmentBytesMax must be between 1 and ${SEGMENT_BYTES_LIMIT}.`);
    }
    this.#stateLogBytesMax = options.stateLogBytesMax ?? STATE_LOG_BYTES_MAX_DEFAULT;
    this.#folder = new Folder(disk, runtime, directory);
    this.#damage = new DamageRegister(this.#folder);
    this.#fullDisk = new FullDisk(this.#folder, this.#failStop, options.reserveBytes ?? RESERVE_BYTES_DEFAULT);
  }

  async open(): Promise<void> {
    await this.#opening(async () => {
      await this.#lock();
      await assertInUse(this.#folder);
      await this.#recover();
    });
  }

  /** One process at a time has the directory open, so nobody else changes it anyway. */
  async openToLeave(): Promise<Departure> {
    await this.#opening(async () => {
      await assertThere(this.#folder);
      await this.#lock();
      await assertInUse(this.#folder);
      await this.#recover();
    });
    return { complete: () => markMoved(this.#folder) };
  }

  async openToRestore(extent: Extent): Promise<Restoration> {
    const restoring = await this.#opening(async () => {
      await this.#lock();
      await beginAnew(this.#folder, extent);
      return this.#recover();
    });
    return {
      write: (events) => restoring.write(events),
      skip: (unused) => restoring.skip(unused),
      complete: async () => {
        await restoring.end(extent.head);
        await markWhole(this.#folder);
      },
    };
  }

  async stay(): Promise<void> {
    await this.#opening(async () => {
      await assertThere(this.#folder);
      await this.#lock();
      await unmarkMoved(this.#folder);
    });
    await this.#releaseAll();
  }

  /** Finishes what waits, then marks the stop as clean, so that the next start need not rewrite anything. */
  async close(): Promise<void> {
    this.store.opened = undefined;
    this.state.opened = undefined;
    await this.#releaseAll();
  }

  health(): AdapterHealth {
    const lost = this.#lost();
    const known = { facts: this.#facts(), ...(lost.length === 0 ? {} : { lost }) };
    if (this.#failStop.failed) return { status: 'failed', reason: this.#failStop.reason!, ...known };
    if (this.#damage.any) return { status: 'read-only', reason: this.#damageText(), ...known };
    if (this.#fullDisk.isFull) return { status: 'full', reason: 'The disk is full.', ...known };
    return { status: 'ok', ...known };
  }

  /** Only this process can make the log or the state grow, so there is nothing to hint at. */
  watch(_onHint: () => void): () => void {
    return () => {};
  }

  async #opening<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await this.#releaseAll();
      throw error instanceof EventManagerError
        ? error
        : this.#failStop.stop('opening the journal', error, openingAdvice(error));
    }
  }

  async #lock(): Promise<void> {
    const folder = this.#folder;
    await folder.make();
    const release = await folder.disk.lock(folder.path(LOCK_FILE));
    if (release === undefined) {
      throw new EventManagerError('store_locked', 'Another process has the data directory open.', {
        retryAfterMs: 1_000,
      });
    }
    this.#releases.push(release);
  }

  async #recover(): Promise<RestoreLog> {
    const folder = this.#folder;
    const reading = await readWitness(folder);
    await this.#damage.load();
    this.#releases.push(() => this.#damage.settled());
    await this.#reportUnreadableWitness(reading);
    const files = new OpenFiles(folder);
    this.#releases.push(() => files.closeAll());
    const parts = {
      folder,
      files,
      failStop: this.#failStop,
      damage: this.#damage,
      fullDisk: this.#fullDisk,
      segmentBytesMax: this.#segmentBytesMax,
    };
    if (!this.#damage.any) {
      await removeTemporaries(folder);
      await this.#makeRoomToRecover(reading);
    }
    const loaded = await loadLog(parts, reading.last);
    const state = await recoverState(folder, reading.last, (damage) => this.#damage.report(damage));
    if (!this.#damage.any) await sparePositions(folder, loaded.core, this.#damage, state.entries);
    const epoch = Math.max(reading.last.epoch, state.epoch) + 1;
    const values = new StateValues(state.entries, files, (damage) => this.#damage.report(damage));
    const witness = await this.#takeIntoUse(
      reading,
      { ...state, values },
      loaded.core.head,
      epoch,
      loaded.core.segments.at(-1),
    );
    let isServing = false;
    this.#releases.push(async () => {
      if (isServing) await this.#markClean(witness);
    });
    const log = await startLog(parts, loaded, witness);
    this.#releases.push(() => log.close());
    const leases = new LocalLeases(folder.runtime.clock, epoch);
    const commits = await this.#startState({ ...state, values }, witness, leases, epoch);
    this.#releases.push(() => commits.close());
    isServing = true;
    this.store.opened = log;
    this.state.opened = { entries: state.entries, values, leases, commits, runtime: folder.runtime };
    return log.restoring;
  }

  /** Recovery after an unclean stop writes the newest segment anew; on a full disk that needs what the reserve holds. */
  async #makeRoomToRecover({ last }: WitnessReading): Promise<void> {
    if (last.clean || (await this.#folder.freeBytes()) > 2 * this.#segmentBytesMax) return;
    await this.#folder.removeIfThere(RESERVE_FILE);
  }

  /** Makes the directory writable: reserve, snapshot after an unclean stop, witness. Does nothing when there is damage. */
  async #takeIntoUse(
    reading: WitnessReading,
    state: ReadableState,
    head: number,
    epoch: number,
    newest: { header: { id: string }; bytes: number } | undefined,
  ): Promise<Witness> {
    const folder = this.#folder;
    if (this.#damage.any) return Witness.readOnly(folder, this.#failStop, reading);
    await this.#fullDisk.open();
    this.#releases.push(() => this.#fullDisk.close());
    if (state.hasLogs && state.log === undefined && state.sequence > 0) {
      if (state.torn !== undefined) await keepTornTail(folder, state.torn);
      await writeSnapshot({ ...state, folder, failStop: this.#failStop, epoch }, state.sequence);
    }
    const witness = await Witness.open(folder, this.#failStop, reading);
    this.#releases.push(() => witness.close());
    await witness.write({
      clean: false,
      epoch,
      position: head,
      stateSequence: state.sequence,
      stateFirst: state.log?.header.sequence ?? state.sequence + 1,
      stateBytes: state.log?.bytes ?? 0,
      ...(newest === undefined ? {} : { segmentId: newest.header.id, segmentBytes: newest.bytes }),
    });
    return witness;
  }

  async #startState(state: ReadableState, witness: Witness, leases: LocalLeases, epoch: number): Promise<CommitLoop> {
    const folder = this.#folder;
    let log: StateLog | undefined;
    if (state.log !== undefined && !this.#damage.any) {
      const { header, bytes } = state.log;
      log = new StateLog(
        folder,
        this.#failStop,
        await folder.open(stateLogFile(header.sequence), 'write'),
        header,
        bytes,
      );
    }
    const parts = {
      folder,
      failStop: this.#failStop,
      fullDisk: this.#fullDisk,
      damage: this.#damage,
      witness,
      leases,
      entries: state.entries,
      values: state.values,
      epoch,
      logBytesMax: this.#stateLogBytesMax,
    };
    return new CommitLoop(parts, log, state.sequence);
  }

  async #markClean(witness: Witness): Promise<void> {
    if (!this.#failStop.failed) await witness.write({ clean: true });
  }

  /** Both sectors gone, or the file: then nothing says how far the log was durable, which must not pass in silence. */
  async #reportUnreadableWitness({ exists, last, damagedAt }: WitnessReading): Promise<void> {
    const isUsed = (await listSegments(this.#folder)).length > 0;
    if (!isUsed || last.sequence > 0) return;
    const reason = exists ? 'no sector of the witness can be read' : 'the witness file is missing';
    this.#damage.report({ file: WITNESS_FILE, offset: damagedAt[0] ?? 0, reason });
  }

  #facts(): Readonly<Record<string, number | string | boolean>> {
    const facts = { durability: SUPPORTS.durability, damages: this.#damage.all.length };
    const log = this.store.opened;
    if (log === undefined) return facts;
    const { core } = log;
    const bytes = core.segments.reduce((sum, segment) => sum + segment.bytes, 0);
    return { ...facts, head: core.head, first: core.trimmedThrough + 1, segments: core.segments.length, bytes };
  }

  /** What is on record as given up, and what known damage takes, as far as retention has not passed it. */
  #lost(): readonly LostRange[] {
    const trimmedThrough = this.store.opened?.core.trimmedThrough ?? 0;
    const found = this.#damage.all.flatMap(({ lost }) => (lost === undefined ? [] : [lost]));
    const givenUp = this.#damage.accepted.filter(({ isUnused }) => isUnused !== true);
    return [...givenUp, ...found]
      .filter(({ through }) => through > trimmedThrough)
      .map(({ from, through }) => ({ from, through, cause: 'damaged' }));
  }

  #damageText(): string {
    const { file, offset, reason } = this.#damage.all[0]!;
    const more = this.#damage.all.length > 1 ? `, and ${this.#damage.all.length - 1} more` : '';
    return `Damage in ${file} at offset ${offset}: ${reason}${more}. Run event-manager-journal repair.`;
  }

  async #releaseAll(): Promise<void> {
    let failure: unknown;
    for (const release of this.#releases.splice(0).reverse()) {
      try {
        await release();
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== undefined && !this.#failStop.failed) throw failure;
  }
}

/** Commits that a crash cut short: never acknowledged, kept all the same. */
function keepTornTail(folder: Folder, { file, offset }: NonNullable<RecoveredState['torn']>): Promise<void> {
  return copyAside(folder, file, TORN_DIR, `${file}.${offset}`, offset);
}

/** Files under construction when the process died; they never had a name that anybody reads. */
async function removeTemporaries(folder: Folder): Promise<void> {
  for (const name of await folder.list()) if (name.endsWith(TEMPORARY_SUFFIX)) await folder.remove(name);
}
