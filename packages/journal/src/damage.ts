import { isDiskFull } from './files/error-code.ts';
import { DAMAGE_FILE, LOST_FILE, QUARANTINE_DIR } from './files/file-names.ts';
import type { Folder } from './files/folder.ts';
import { readBytes } from './files/read-fully.ts';
import type { RecordName } from './state/records-in.ts';

/** Bytes that were durable and cannot be trusted any more. */
export interface Damage {
  readonly file: string;
  readonly offset: number;
  readonly reason: string;
  /** Positions that cannot be read because of it, when that is known. */
  readonly lost?: Range;
  /** Records of the state that the damaged bytes still name. */
  readonly records?: readonly RecordName[];
}

/** Positions, both ends inside. */
export interface Range {
  readonly from: number;
  readonly through: number;
}

/** Positions without an event that are on record. */
export interface Missing extends Range {
  /** No event was ever given them, in the store that the log came from: they are missed, and nothing is lost. */
  readonly isUnused?: true;
}

const COPY_CHUNK_BYTES = 1 << 20;

/** Copies `[from, to)` of a file into a sub-folder; durable when it resolves. A copy that is there already is kept. */
export async function copyAside(folder: Folder, name: string, into: string, as: string, from: number): Promise<void> {
  const target = folder.folder(into);
  await target.make();
  if ((await target.list()).includes(as)) return;
  const source = await folder.open(name, 'read');
  try {
    const copyChunks = async function* () {
      const size = await source.size();
      for (let at = from; at < size; at += COPY_CHUNK_BYTES) {
        yield await readBytes(source, at, Math.min(COPY_CHUNK_BYTES, size - at));
      }
    };
    await target.replaceFile(as, copyChunks());
    await folder.syncDir();
  } finally {
    await source.close();
  }
}

/**
 * Every damage that was found and not yet repaired. While there is one the store is read-only: writing on would bury the
 * evidence and let retention remove the undamaged neighbours of what was lost. The list is kept in a file, so a restart
 * does not forget it; `repair` removes that file.
 */
export class DamageRegister {
  readonly #folder: Folder;
  readonly #known: Damage[] = [];
  #accepted: readonly Missing[] = [];
  #unused: readonly Range[] = [];
  #keeping: Promise<void> = Promise.resolve();

  constructor(folder: Folder) {
    this.#folder = folder;
  }

  get all(): readonly Damage[] {
    return this.#known;
  }

  get any(): boolean {
    return this.#known.length > 0;
  }

  async load(): Promise<void> {
    const bytes = await this.#folder.readFile(DAMAGE_FILE);
    if (bytes !== undefined) this.#known.push(...parseDamage(bytes));
    this.accept(await readLostFile(this.#folder));
  }

  /** Positions that are gone for good and on record as such, or that never were. */
  get accepted(): readonly Missing[] {
    return this.#accepted;
  }

  /** Those that no event was ever given, ascending. */
  get unused(): readonly Range[] {
    return this.#unused;
  }

  /** Takes over what is on record as lost now. */
  accept(lost: readonly Missing[]): void {
    this.#accepted = lost;
    this.#unused = lost.filter(({ isUnused }) => isUnused === true).sort((a, b) => a.from - b.from);
  }

  /** Remembers the damage at once; the copy and the list reach the disk in the background. */
  report(damage: Damage): void {
    if (isAccepted(damage, this.#accepted)) return;
    if (this.#known.some(({ file, offset }) => file === damage.file && offset === damage.offset)) return;
    this.#known.push(damage);
    this.#keeping = this.#keeping.then(() => this.#keep(damage));
  }

  /** Resolves when every report is on disk, or could not be because the disk is full or failing. */
  settled(): Promise<void> {
    return this.#keeping;
  }

  async #keep(damage: Damage): Promise<void> {
    try {
      await copyAside(this.#folder, damage.file, QUARANTINE_DIR, damage.file, 0).catch(ignoreMissing);
      const text = `${JSON.stringify(this.#known, undefined, 2)}\n`;
      await this.#folder.replaceFile(DAMAGE_FILE, [Buffer.from(text)]);
    } catch {
      // The original bytes are untouched and the register in memory keeps the store read-only: nothing is lost by
      // failing to copy them to a disk that is full or failing.
    }
  }
}

function ignoreMissing(error: unknown): void {
  if (isDiskFull(error)) throw error;
}

function parseDamage(bytes: Buffer): readonly Damage[] {
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    if (Array.isArray(parsed)) return parsed as Damage[];
  } catch {
    // Falls through: a list that cannot be read still says that there was damage.
  }
  return [{ file: DAMAGE_FILE, offset: 0, reason: 'the list of damages cannot be read' }];
}

/** Positions that earlier repairs gave up: that they are missing is no news. A list that cannot be read accepts nothing. */
export async function readLostFile(folder: Folder): Promise<readonly Missing[]> {
  const bytes = await folder.readFile(LOST_FILE);
  if (bytes === undefined) return [];
  try {
    return (JSON.parse(bytes.toString('utf8')) as { lost: Missing[] }).lost;
  } catch {
    return [];
  }
}

/** Puts positions on record as given up, durably; resolves with all that are. */
export async function recordLost(folder: Folder, lost: readonly Missing[]): Promise<readonly Missing[]> {
  const all = [...(await readLostFile(folder)), ...lost];
  await folder.replaceFile(LOST_FILE, [Buffer.from(`${JSON.stringify({ lost: all }, undefined, 2)}\n`)]);
  return all;
}

/** True when nothing is lost by this damage but what a repair gave up before. */
export function isAccepted({ lost, reason }: Damage, accepted: readonly Range[]): boolean {
  if (lost === undefined || !reason.endsWith('missing')) return false;
  let from = lost.from;
  for (const range of [...accepted].sort((a, b) => a.from - b.from)) {
    if (range.from <= from) from = Math.max(from, range.through + 1);
  }
  return from > lost.through;
}
