import type { FailStop } from '../fail-stop.ts';
import type { Folder } from '../files/folder.ts';
import type { OpenFiles } from '../files/open-files.ts';
import type { SegmentHeader } from '../format/segment-header.ts';
import { ActiveIndex } from '../index/active-index.ts';
import type { IdDirectory } from '../index/id-directory.ts';
import type { KnownIds } from './known-ids.ts';
import type { Segment } from './segment.ts';

export interface SealerParts {
  readonly folder: Folder;
  readonly files: OpenFiles;
  readonly failStop: FailStop;
  readonly directory: IdDirectory;
}

/** Turns the indexes of full segments into files. */
export class Sealer {
  readonly parts: SealerParts;
  known: KnownIds | undefined;

  constructor(folder: Folder, files: OpenFiles, failStop: FailStop, directory: IdDirectory) {
    this.parts = { folder, files, failStop, directory };
  }

  attach(known: KnownIds): void {
    this.known = known;
  }

  async load(_file: string, _header: SegmentHeader, _last: number): Promise<Segment | undefined> {
    return undefined;
  }

  memoryIndexOf({ index }: Segment): ActiveIndex | undefined {
    return index instanceof ActiveIndex ? index : undefined;
  }

  seal(_segment: Segment): void {}

  async close(): Promise<void> {}
}
