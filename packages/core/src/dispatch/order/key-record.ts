import type { Position } from '../../contracts/event-store.ts';
import { foreignEventId } from '../../event/foreign-event-id.ts';
import type { JsonObject } from '../../json.ts';
import type { KeyMeaning } from './ordering-key.ts';
import type { SettledAhead } from './settled-ahead.ts';

/** Since when a key waits for somebody to release it, and for which dead letter. */
export interface Parked {
  /** Wall clock, milliseconds since 1970. */
  readonly atMs: number;
  readonly deadLetterId?: string;
}

/** Both ends inside. */
export type SuspectRange = readonly [from: Position, through: Position];

/**
 * What is durable of a key whose later events wait: a state record of the kind `blocked`. Every event of the key from `from`
 * through `through` that matches is owed, and settled as far as its lane is concerned; all but those up to `tried`, and those
 * in `suspects`, were never attempted. The debt at its head stands in `owed`.
 */
export interface KeyRecord {
  readonly key: string;
  readonly meaning: KeyMeaning;
  readonly from: Position;
  /** Below `from` when nothing waits behind a parked key. */
  readonly through: Position;
  /** How many events these are, as far as they were counted. */
  readonly count: number;
  /** Events that had expired when they were read, and of those that are among `count` are counted at the end of the range. */
  readonly expired?: number | undefined;
  readonly tried: Position;
  /** Further ones that may have been attempted before a crash, ascending. */
  readonly suspects?: readonly SuspectRange[] | undefined;
  readonly parked?: Parked | undefined;
  /** What between them is not owed. */
  readonly ahead?: SettledAhead | undefined;
}

/** Says that a parked key goes on, to whoever serves its subscription next. */
export interface KeyRelease {
  readonly key: string;
  readonly meaning: KeyMeaning;
  /** What it was parked for: when it is for something else by then, nobody asked for its release. */
  readonly deadLetterId?: string | undefined;
}

export function keyReleaseToJson({ meaning, key, parked }: KeyRecord): JsonObject {
  const { deadLetterId } = parked ?? {};
  return { key, meaning, release: true, ...(deadLetterId === undefined ? {} : { deadLetterId }) };
}

/** It was asked for when the key was parked for what it is parked for now; an older release says not for what. */
export function isReleaseOf(release: KeyRelease | undefined, parked: Parked | undefined): boolean {
  if (!release || !parked) return false;
  return release.deadLetterId === undefined || release.deadLetterId === parked.deadLetterId;
}

/** Where such a record stands: beside that of the key, which only whoever serves the subscription may write. */
export function keyReleaseName(record: KeyRelease): string {
  return `${keyRecordName(record.meaning, record.key)}/release`;
}

/** Where the record of a key stands, behind the prefix of its subscription: keys are too long and too free for names. */
export function keyRecordName(meaning: KeyMeaning, key: string): string {
  return foreignEventId('event-manager/blocked-key', `${meaning}\n${key}`);
}

export function keyRecordToJson({ expired, suspects, ahead, parked, ...record }: KeyRecord): JsonObject {
  return {
    ...record,
    ...(expired ? { expired } : {}),
    ...(suspects ? { suspects } : {}),
    ...(ahead ? { ahead } : {}),
    ...(parked ? { parked: { ...parked } } : {}),
  };
}

export function keyRecordFromJson(value: JsonObject): KeyRecord {
  return value as unknown as KeyRecord;
}

export function isRelease(value: JsonObject): boolean {
  return value['release'] === true;
}
