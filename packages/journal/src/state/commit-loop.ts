import {
  EventManagerError,
  isEventManagerError,
  type LocalLeases,
  type Revision,
  type StateChange,
  type StateKind,
} from '@event-manager/core';
import type { DamageRegister } from '../damage.ts';
import type { FailStop } from '../fail-stop.ts';
import { isDiskFull } from '../files/error-code.ts';
import type { Folder } from '../files/folder.ts';
import { COMMIT_FRAME, encodeFrame, STATE_HEADER_BYTES } from '../format/state-frame.ts';
import type { FullDisk } from '../log/full-disk.ts';
import type { Witness } from '../witness.ts';
import { encodeCommit } from './encode-commit.ts';
import type { EncodedChange, FramePlace, StateEntries } from './state-entries.ts';
import { StateLog } from './state-log.ts';
import type { StateValues } from './state-values.ts';
import { writeSnapshot } from './write-snapshot.ts';

/*
 * Group commit of the state, with a file and a sync of its own: checking → writing → syncing → applying → answering.
 *
 * Invariants: readers see durable values only, since a commit is applied to memory after its sync. A commit is checked
 * against memory and against the commits before it in the same batch. A commit that fails its check changes nothing and
 * harms no other. A full disk first costs the reserve; when that is used up, commits are refused and nothing was changed.
 *
 * When the log outgrows the state it describes, a new log begins and a snapshot of what came before is written beside it
 * while commits go on.
 */

export interface CommitLoopParts {
  readonly folder: Folder;
  readonly failStop: FailStop;
  readonly fullDisk: FullDisk;
  readonly damage: DamageRegister;
  readonly witness: Witness;
  readonly leases: LocalLeases;
  readonly entries: StateEntries;
  readonly values: StateValues;
  readonly epoch: number;
  /** A log may grow to this many bytes, or to twice the size of the state. */
  readonly logBytesMax: number;
}

interface WaitingCommit {
  readonly changes: readonly StateChange[];
  readonly encoded: readonly EncodedChange[];
  readonly resolve: (revision: Revision) => void;
  readonly reject: (error: unknown) => void;
}

interface CheckedCommit {
  readonly commit: WaitingCommit;
  readonly revision: Revision;
}

export class CommitLoop {
  readonly #parts: CommitLoopParts;
  #log: StateLog | undefined;
  #sequence: number;
  #waiting: WaitingCommit[] = [];
  #running: Promise<void> | undefined;
  #snapshot: Promise<void> | undefined;
  #isClosed = false;

  constructor(parts: CommitLoopParts, log: StateLog | undefined, sequence: number) {
    this.#parts = parts;
    this.#log = log;
    this.#sequence = sequence;
  }

  get sequence(): number {
    return this.#sequence;
  }

  commit(changes: readonly StateChange[], encoded: readonly EncodedChange[]): Promise<Revision> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw new EventManagerError('closed', 'The journal is closed.');
      this.#assertWritable();
      this.#waiting.push({ changes, encoded, resolve, reject });
      this.#running ??= Promise.resolve().then(() => this.#run());
    });
  }

  /** Refuses new commits and resolves when those that wait are answered and nothing is being written. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    await this.#snapshot;
    await this.#log?.close();
  }

  #assertWritable(): void {
    this.#parts.failStop.assertRunning();
    if (this.#parts.damage.any) {
      throw new EventManagerError(
        'store_read_only',
        'Damage was found; the journal serves reads only until it is repaired.',
      );
    }
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const commits = this.#waiting;
      this.#waiting = [];
      const checked = this.#check(commits);
      try {
        if (checked.length > 0) await this.#commitAll(checked);
      } catch (error) {
        const refusal = this.#refusalFor(error);
        for (const { commit } of checked) commit.reject(refusal);
      }
    }
    this.#running = undefined;
  }

  #refusalFor(error: unknown): unknown {
    if (isEventManagerError(error)) return error;
    return isDiskFull(error) ? this.#parts.fullDisk.refusal() : this.#parts.failStop.stop('committing state', error);
  }

  /** Rejects the commits that may not be made and numbers the others. */
  #check(commits: readonly WaitingCommit[]): CheckedCommit[] {
    const pending = new Map<string, Revision>();
    const checked: CheckedCommit[] = [];
    for (const commit of commits) {
      const revision = this.#sequence + checked.length + 1;
      try {
        this.#assertLeasesHeld(commit.changes);
        for (const change of commit.changes) this.#assertRevision(change, pending);
      } catch (error) {
        commit.reject(error);
        continue;
      }
      for (const { kind, key, json } of commit.encoded)
        pending.set(pendingKey(kind, key), json === undefined ? 0 : revision);
      checked.push({ commit, revision });
    }
    return checked;
  }

  #assertLeasesHeld(changes: readonly StateChange[]): void {
    const lost = new Set<string>();
    for (const { lease } of changes) {
      if (lease !== undefined && !this.#parts.leases.isHeld(lease)) lost.add(lease.resource);
    }
    if (lost.size === 0) return;
    const resources = [...lost];
    throw new EventManagerError('lease_lost', `The lease of ${resources.join(', ')} is not held any more.`, {
      resources,
    });
  }

  #assertRevision({ kind, key, ifRevision }: StateChange, pending: ReadonlyMap<string, Revision>): void {
    if (ifRevision === undefined) return;
    const revision = pending.get(pendingKey(kind, key)) ?? this.#parts.entries.revisionOf(kind, key);
    if (revision === ifRevision) return;
    const text = `${kind} ${key} is at revision ${revision}, not ${ifRevision}.`;
    throw new EventManagerError('revision_conflict', text, { kind, key, revision });
  }

  async #commitAll(checked: readonly CheckedCommit[]): Promise<void> {
    const { folder, entries, witness } = this.#parts;
    this.#assertWritable();
    const places = await this.#write(checked);
    this.#parts.failStop.assertRunning();
    for (const [index, { commit, revision }] of checked.entries()) {
      for (const change of commit.encoded) entries.apply(change, revision, places[index]!);
    }
    this.#sequence = checked.at(-1)!.revision;
    const log = this.#log!;
    witness.note({ stateFirst: log.header.sequence, stateBytes: log.bytes, stateSequence: this.#sequence });
    folder.failpoint('journal.state.acknowledge.before');
    for (const { commit, revision } of checked) commit.resolve(revision);
    folder.failpoint('journal.state.acknowledge.after');
    await this.#snapshotIfDue(log);
  }

  /** Writes the batch; a full disk is answered once by giving up the reserve. */
  async #write(checked: readonly CheckedCommit[]): Promise<readonly FramePlace[]> {
    try {
      return await this.#writeOnce(checked);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#parts.fullDisk.enter();
      if (!(await this.#parts.fullDisk.releaseReserve())) throw error;
      return this.#writeOnce(checked);
    }
  }

  /** Resolves with where the frame of each commit stands. */
  async #writeOnce(checked: readonly CheckedCommit[]): Promise<readonly FramePlace[]> {
    const { folder, failStop, epoch } = this.#parts;
    const log = (this.#log ??= await StateLog.create(folder, failStop, checked[0]!.revision, epoch));
    const frames = checked.map(({ commit, revision }) =>
      encodeFrame(log.header.id, revision, COMMIT_FRAME, log.durableMark, encodeCommit(commit.encoded)),
    );
    const places: FramePlace[] = [];
    let at = Math.max(log.bytes, STATE_HEADER_BYTES);
    for (const { length } of frames) {
      places.push({ file: log.name, seed: log.seed, at, bytes: length });
      at += length;
    }
    await log.write(Buffer.concat(frames));
    return places;
  }

  async #snapshotIfDue(log: StateLog): Promise<void> {
    const { entries, failStop, fullDisk, logBytesMax } = this.#parts;
    if (this.#snapshot !== undefined || fullDisk.isFull || log.bytes < Math.max(logBytesMax, 2 * entries.characters))
      return;
    this.#log = undefined;
    await log.close();
    this.#snapshot = writeSnapshot(this.#parts, this.#sequence)
      .catch((error: unknown) => {
        // Without the snapshot the logs still hold everything; on a full disk the next one is tried later, and beside
        // damage none is written at all.
        if (isDiskFull(error)) fullDisk.enter();
        else if (!isEventManagerError(error, 'corrupt_record')) failStop.stop('writing a snapshot', error);
      })
      .finally(() => (this.#snapshot = undefined));
  }
}

function pendingKey(kind: StateKind, key: string): string {
  return `${kind}\0${key}`;
}
