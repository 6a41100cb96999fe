import { type Damage, isAccepted, readLostFile } from '../damage.ts';
import { DAMAGE_FILE, indexFileOf, WITNESS_FILE } from '../files/file-names.ts';
import type { Folder } from '../files/folder.ts';
import { OpenFiles } from '../files/open-files.ts';
import { DamagedIndex, IndexFile } from '../index/index-file.ts';
import { PageCache } from '../index/page-cache.ts';
import { currentSegments } from '../log/current-segments.ts';
import type { SegmentFile } from '../log/list-segments.ts';
import { readSegmentContents } from '../log/read-segment-contents.ts';
import { reportMissing } from '../log/recover-log.ts';
import { expectedOfLast, type SegmentContents } from '../log/recover-tail.ts';
import { type RecoveredState, recoverState } from '../state/recover-state.ts';
import { readWitness, type WitnessReading } from '../witness.ts';

/** A segment file with everything that can be read of it. */
export interface VerifiedSegment {
  readonly segment: SegmentFile;
  readonly contents: SegmentContents;
  readonly bytes: Buffer;
}

export interface Verification {
  readonly damages: readonly Damage[];
  /** What is no damage and yet worth knowing, such as the torn tail of a crash. */
  readonly notes: readonly string[];
  /** Segment files that are not part of the log: finished with, or not what they were written as. */
  readonly leftovers: readonly SegmentFile[];
  readonly spoilt: readonly SegmentFile[];
  readonly witness: WitnessReading;
  readonly state: RecoveredState;
  /** The records of a segment are dropped after it was looked at unless `visit` keeps them. */
  readonly head: number;
}

/** Reads every byte of a data directory and changes nothing. `visit` sees each segment while it is in memory. */
export async function verify(
  folder: Folder,
  visit?: (segment: VerifiedSegment) => Promise<void>,
): Promise<Verification> {
  const damages: Damage[] = [];
  const notes: string[] = [];
  const accepted = await readLostFile(folder);
  const report = (damage: Damage): void => {
    if (!isAccepted(damage, accepted)) damages.push(damage);
  };
  const witness = await readWitness(folder);
  const { files: segments, leftovers, spoilt, damages: rivals } = await currentSegments(folder, witness.last);
  for (const damage of rivals) report(damage);
  for (const { file } of leftovers) notes.push(`${file} is left over from an interrupted step; opening removes it`);
  verifyWitness(witness, segments.length > 0, report);
  const lasts: { last: number }[] = [];
  const files = new OpenFiles(folder);
  try {
    const idSeed = segments.find(({ isHeaderSound }) => isHeaderSound)?.header.idSeed ?? 0;
    for (const [index, segment] of segments.entries()) {
      const next = segments[index + 1];
      const expected =
        next === undefined
          ? expectedOfLast(witness.last, segment.header.id, idSeed)
          : { durableBytes: Number.POSITIVE_INFINITY, durablePosition: next.header.follows, idSeed };
      const { bytes, contents } = await readSegmentContents(folder, segment.file, expected);
      for (const damage of contents.damages) report(damage);
      lasts.push({ last: next === undefined ? contents.last : next.header.follows });
      if (contents.isTorn && contents.damages.length === 0) notes.push(tornNote(segment, contents, bytes.length));
      await verifyIndex(segment, files, report, notes);
      await visit?.({ segment, contents, bytes });
    }
  } finally {
    await files.closeAll();
  }
  reportMissing(segments, lasts, witness.last, report);
  const head = Math.max(witness.last.position, lasts.at(-1)?.last ?? 0);
  verifyEnd(segments.length, witness, report);
  const state = await recoverState(folder, witness.last, report);
  if ((await folder.readFile(DAMAGE_FILE)) !== undefined) {
    report({
      file: DAMAGE_FILE,
      offset: 0,
      reason: 'damage was found while the journal was open and was not repaired yet',
    });
  }
  return { damages, notes, leftovers, spoilt, witness, state, head };
}

function verifyWitness({ exists, damagedAt }: WitnessReading, isUsed: boolean, report: (damage: Damage) => void): void {
  if (!exists && isUsed) report({ file: WITNESS_FILE, offset: 0, reason: 'the witness file is missing' });
  for (const offset of damagedAt) {
    report({ file: WITNESS_FILE, offset, reason: 'a sector of the witness does not match its checksum' });
  }
}

function verifyEnd(segmentCount: number, { last }: WitnessReading, report: (damage: Damage) => void): void {
  if (segmentCount > 0 || last.position <= last.trimmedThrough) return;
  const lost = { from: last.trimmedThrough + 1, through: last.position };
  report({ file: WITNESS_FILE, offset: 0, reason: 'the segments that the witness speaks of are missing', lost });
}

async function verifyIndex(
  { file }: SegmentFile,
  files: OpenFiles,
  report: (damage: Damage) => void,
  notes: string[],
): Promise<void> {
  const name = indexFileOf(file);
  try {
    const index = await IndexFile.open(name, files, new PageCache());
    await index.verifyAll();
  } catch (error) {
    if (error instanceof DamagedIndex) {
      report({
        file: name,
        offset: error.offset,
        reason: 'the index does not match its checksum; it can be made anew',
      });
    } else if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      notes.push(`${file} has no index file; it is made when the journal is opened`);
    } else {
      throw error;
    }
  }
}

function tornNote({ file }: SegmentFile, { end }: SegmentContents, size: number): string {
  return `${file} has ${size - end} bytes behind offset ${end} that were never acknowledged; opening puts them aside`;
}
