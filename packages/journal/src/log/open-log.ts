import type { Damage, DamageRegister } from '../damage.ts';
import type { FailStop } from '../fail-stop.ts';
import type { Folder } from '../files/folder.ts';
import type { OpenFiles } from '../files/open-files.ts';
import type { SegmentHeader } from '../format/segment-header.ts';
import { NO_SEGMENT, newSegmentId } from '../format/segment-id.ts';
import type { Witnessed } from '../format/witness-sector.ts';
import { ActiveIndex } from '../index/active-index.ts';
import { IdDirectory } from '../index/id-directory.ts';
import type { Witness } from '../witness.ts';
import { ActiveSegment } from './active-segment.ts';
import { AppendLog } from './append-log.ts';
import type { OpenLog } from './event-log.ts';
import type { FullDisk } from './full-disk.ts';
import { KnownIds } from './known-ids.ts';
import type { LogCore } from './log-core.ts';
import { type RecoveredLog, recoverLog } from './recover-log.ts';
import { RestoreLog } from './restore-log.ts';
import { Sealer } from './sealer.ts';
import { SEGMENT_SPAN_MS_MAX } from './segment.ts';

export interface OpenLogParts {
  readonly folder: Folder;
  readonly files: OpenFiles;
  readonly failStop: FailStop;
  readonly damage: DamageRegister;
  readonly fullDisk: FullDisk;
  readonly segmentBytesMax: number;
}

/** A log that was recovered and can be read; `start` makes it ready for appends. */
export interface LoadedLog {
  readonly core: LogCore;
  readonly recovered: RecoveredLog;
  readonly known: KnownIds;
  readonly sealer: Sealer;
}

/** Recovers the log of a directory. Reports damage to the register and changes nothing while there is any. */
export async function loadLog(parts: OpenLogParts, witnessed: Witnessed): Promise<LoadedLog> {
  const { folder, files, failStop, damage } = parts;
  const directory = new IdDirectory();
  const sealer = new Sealer({ folder, files, damage, failStop }, directory);
  const report = (found: Damage): void => damage.report(found);
  const recovered = await recoverLog(
    folder,
    witnessed,
    (...sealed) => sealer.load(...sealed),
    report,
    () => damage.any,
  );
  const { segments, head, idSeed } = recovered;
  const core: LogCore = { folder, files, failStop, damage, segments, head, trimmedThrough: witnessed.trimmedThrough };
  const known = new KnownIds(core, directory, idSeed);
  sealer.attach(known, segments);
  const isForgetful = folder.runtime.planted.has('ids-lost-at-restart');
  for (const segment of segments) {
    if (segment.index instanceof ActiveIndex && !isForgetful) known.add({ segment, index: segment.index });
  }
  return { core, recovered, known, sealer };
}

/** Begins to take appends. */
export async function startLog(
  parts: OpenLogParts,
  loaded: LoadedLog,
  witness: Witness,
): Promise<OpenLog & { readonly restoring: RestoreLog; close(): Promise<void> }> {
  const { folder, failStop, fullDisk, segmentBytesMax } = parts;
  const { core, recovered, known, sealer } = loaded;
  let active: ActiveSegment | undefined;
  if (recovered.activeIndex !== undefined) {
    const segment = core.segments.at(-1)!;
    active = new ActiveSegment(
      folder,
      failStop,
      await folder.open(segment.file, 'write'),
      segment,
      recovered.activeIndex,
    );
  }
  // What an earlier run could not seal is sealed now, beside the new appends.
  for (const segment of core.segments) if (segment !== active?.segment) sealer.seal(segment);

  const hasRoom = ({ segment, index }: ActiveSegment, bytes: number, atMs: number): boolean => {
    if (index.count === 0) return true;
    return segment.bytes + bytes <= segmentBytesMax && atMs - index.firstAtMs < SEGMENT_SPAN_MS_MAX;
  };
  const activeFor = async (bytes: number, atMs = folder.runtime.clock.wallMs()): Promise<ActiveSegment> => {
    if (active !== undefined && hasRoom(active, bytes, atMs)) return active;
    const previous = active;
    const header: SegmentHeader = {
      id: newSegmentId(folder.runtime.chance),
      idSeed: known.idSeed,
      first: core.head + 1,
      follows: core.head,
      replaces: NO_SEGMENT,
      createdAtMs: Math.floor(folder.runtime.clock.wallMs()),
    };
    active = await ActiveSegment.create(folder, failStop, header, previous?.index.count ?? 0);
    core.segments.push(active.segment);
    known.add(active);
    if (previous !== undefined) {
      await previous.close();
      sealer.seal(previous.segment);
    }
    return active;
  };
  const { lastRecordedAtMs } = recovered;
  const writing = { core, known, witness, fullDisk, activeFor, lastRecordedAtMs };
  const appending = new AppendLog(writing);
  const close = async (): Promise<void> => {
    await appending.close();
    await sealer.close();
    await active?.close();
  };
  return { core, appending, known, witness, restoring: new RestoreLog(writing), close };
}
