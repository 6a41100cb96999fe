import { posix } from 'node:path';
import type { SeededChance } from './seeded-chance.ts';
import type { CrashMode, SimulatedFile } from './simulated-file.ts';

/** A change of names that is in the cache and perhaps not yet on the platter. */
interface NameChange {
  readonly removed: string | undefined;
  readonly added: string | undefined;
  readonly file: SimulatedFile | undefined;
}

/**
 * Which name means which file, as programs see it and as it is on the platter.
 *
 * Creating, renaming and removing change the first at once and the second when the folder is synced. A crash decides for
 * every change that was not synced whether it had happened; each is atomic, but they are independent: the removal of an
 * old file may have reached the platter while the creation of its successor has not.
 */
export class SimulatedNames {
  readonly #cached = new Map<string, SimulatedFile>();
  readonly #durable = new Map<string, SimulatedFile>();
  #unsynced: NameChange[] = [];

  get(path: string): SimulatedFile | undefined {
    return this.#cached.get(path);
  }

  /** Files that have a name. */
  files(): Iterable<SimulatedFile> {
    return new Set(this.#cached.values());
  }

  /** Also those whose name is removed only in the cache: a crash may bring them back. */
  allFiles(): Iterable<SimulatedFile> {
    return new Set([...this.#cached.values(), ...this.#durable.values(), ...this.#unsyncedFiles()]);
  }

  /** All paths, sorted. */
  paths(): string[] {
    return [...this.#cached.keys()].sort();
  }

  namesIn(dir: string): string[] {
    return this.paths()
      .filter((path) => posix.dirname(path) === dir)
      .map((path) => posix.basename(path));
  }

  create(path: string, file: SimulatedFile): void {
    this.#change({ removed: undefined, added: path, file });
  }

  rename(from: string, to: string): void {
    this.#change({ removed: from, added: to, file: this.#cached.get(from) });
  }

  remove(path: string): void {
    this.#change({ removed: path, added: undefined, file: undefined });
  }

  /** Makes or replaces a name on the platter as well. */
  plant(path: string, file: SimulatedFile): void {
    this.#cached.set(path, file);
    this.#durable.set(path, file);
  }

  /** What a sync of `dir` that begins now will make durable. */
  beginSync(dir: string): () => void {
    const covered = new Set(this.#unsynced.filter((change) => touches(change, dir)));
    return () => {
      for (const change of this.#unsynced) {
        if (covered.has(change)) apply(this.#durable, change);
      }
      this.#unsynced = this.#unsynced.filter((change) => !covered.has(change));
    };
  }

  crash(chance: SeededChance, mode: CrashMode): void {
    for (const change of this.#unsynced) {
      if (mode === 'keep-all' || (mode === 'chance' && chance.happens(0.5))) apply(this.#durable, change);
    }
    this.#unsynced = [];
    this.#cached.clear();
    for (const [path, file] of this.#durable) this.#cached.set(path, file);
  }

  *#unsyncedFiles(): Generator<SimulatedFile> {
    for (const { file } of this.#unsynced) if (file !== undefined) yield file;
  }

  #change(change: NameChange): void {
    this.#unsynced.push(change);
    apply(this.#cached, change);
  }
}

function apply(names: Map<string, SimulatedFile>, { removed, added, file }: NameChange): void {
  if (removed !== undefined) names.delete(removed);
  if (added !== undefined && file !== undefined) names.set(added, file);
}

function touches({ removed, added }: NameChange, dir: string): boolean {
  return [removed, added].some((path) => path !== undefined && posix.dirname(path) === dir);
}
