import { errorCode } from '../files/error-code.ts';
import { indexFileOf } from '../files/file-names.ts';
import type { SegmentHeader } from '../format/segment-header.ts';
import { ActiveIndex } from '../index/active-index.ts';
import { type BuiltIndex, buildIndex } from '../index/build-index.ts';
import type { IdDirectory } from '../index/id-directory.ts';
import { DamagedIndex, IndexFile } from '../index/index-file.ts';
import { PageCache } from '../index/page-cache.ts';
import { runSliced } from '../index/run-sliced.ts';
import { SealedIndex } from '../index/sealed-index.ts';
import type { SegmentIndex } from '../index/segment-index.ts';
import type { KnownIds } from './known-ids.ts';
import type { LogCore } from './log-core.ts';
import { readSegmentContents } from './read-segment-contents.ts';
import { Segment } from './segment.ts';

type SealerCore = Pick<LogCore, 'folder' | 'files' | 'damage' | 'failStop'>;

const DIRECTORY_PAUSE_EVERY = 4096;

/**
 * Turns the indexes of full segments into files, one after the other and in slices beside the appends. A segment that is
 * waiting answers from memory; a crash or a full disk before its file is there costs only a scan at the next opening.
 */
export class Sealer {
  readonly #core: SealerCore;
  readonly #directory: IdDirectory;
  readonly #cache = new PageCache();
  #known: KnownIds | undefined;
  #segments: readonly Segment[] = [];
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(core: SealerCore, directory: IdDirectory) {
    this.#core = core;
    this.#directory = directory;
  }

  attach(known: KnownIds, segments: readonly Segment[]): void {
    this.#known = known;
    this.#segments = segments;
  }

  /** Loads a sealed segment by its index file, or resolves with `undefined` when that has to be made anew. */
  async load(file: string, header: SegmentHeader, last: number, idSeed: number): Promise<Segment | undefined> {
    const opened = await this.#openIndex(file);
    if (opened === undefined) return undefined;
    const { segmentId, segmentBytes, lastPosition, idSeed: seed } = opened.header;
    const size = await this.#core.files.use(file, (segmentFile) => segmentFile.size());
    if (segmentId !== header.id || seed !== idSeed || size !== segmentBytes || lastPosition !== last) return undefined;
    const segment = new Segment(file, header, new ActiveIndex(idSeed), last, size);
    try {
      const hashes = await opened.numbers('idHashes', 0, opened.header.count);
      await runSliced(this.#directory.add(segment, hashes, DIRECTORY_PAUSE_EVERY), this.#core.folder.runtime);
    } catch (error) {
      if (error instanceof DamagedIndex) return undefined;
      throw error;
    }
    segment.index = this.#sealedIndex(segment, opened);
    return segment;
  }

  /** Seals a segment in the background if its index is in memory. */
  seal(segment: Segment): void {
    this.#work = this.#work.then(() => this.#seal(segment));
  }

  /** Resolves when the segment that is being sealed is done; the others are sealed after the next opening. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#work;
  }

  async #seal(segment: Segment): Promise<void> {
    const { index } = segment;
    if (this.#isClosed || this.#core.damage.any || !(index instanceof ActiveIndex) || index.count === 0) return;
    try {
      const built = await this.#build(segment, index);
      // Retention may have removed the segment while its index was being built.
      if (!this.#isListed(segment)) return;
      const opened = await this.#write(segment, built);
      if (opened === undefined) return;
      await runSliced(this.#directory.add(segment, built.idHashes, DIRECTORY_PAUSE_EVERY), this.#core.folder.runtime);
      if (!this.#isListed(segment)) return this.#directory.remove(segment);
      segment.index = this.#sealedIndex(segment, opened);
      this.#known?.markSealed(segment);
    } catch {
      // The index stays in memory: a disk that cannot take it now costs memory, not answers.
    }
  }

  async #build(segment: Segment, index: ActiveIndex): Promise<BuiltIndex> {
    const building = buildIndex(index, segment.header, segment.bytes);
    let built: BuiltIndex | undefined;
    await runSliced(
      {
        next: () => {
          const step = building.next();
          if (step.done !== true) return { done: false, value: undefined };
          built = step.value;
          return { done: true, value: undefined };
        },
      },
      this.#core.folder.runtime,
    );
    return built!;
  }

  #isListed(segment: Segment): boolean {
    return this.#segments.includes(segment);
  }

  /** Resolves with `undefined` when retention removed the segment meanwhile: it looked for the index before there was one. */
  async #write(segment: Segment, built: BuiltIndex): Promise<IndexFile | undefined> {
    const { folder, files, failStop } = this.#core;
    const name = indexFileOf(segment.file);
    folder.failpoint('journal.index.write.before');
    await files.drop(name);
    this.#cache.drop(name);
    await folder.replaceFile(name, built.chunks, () => failStop.assertRunning());
    folder.failpoint('journal.index.write.after');
    if (!this.#isListed(segment)) {
      failStop.assertRunning();
      await folder.removeIfThere(name);
      return undefined;
    }
    return IndexFile.open(name, files, this.#cache);
  }

  #sealedIndex(segment: Segment, file: IndexFile): SealedIndex {
    return new SealedIndex(file, () => this.#rebuild(segment));
  }

  /** Reads the whole segment again because its index file is damaged, and has a new file written. */
  async #rebuild(segment: Segment): Promise<SegmentIndex> {
    const { folder, damage } = this.#core;
    const expected = {
      durableBytes: Number.POSITIVE_INFINITY,
      durablePosition: segment.last,
      idSeed: segment.header.idSeed,
    };
    const { contents } = await readSegmentContents(folder, segment.file, expected);
    for (const found of contents.damages) damage.report(found);
    this.#work = this.#work.then(async () => {
      if (this.#isClosed || damage.any) return;
      await this.#write(segment, await this.#build(segment, contents.index)).catch(() => {});
    });
    return contents.index;
  }

  async #openIndex(file: string): Promise<IndexFile | undefined> {
    try {
      return await IndexFile.open(indexFileOf(file), this.#core.files, this.#cache);
    } catch (error) {
      if (error instanceof DamagedIndex || errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}
