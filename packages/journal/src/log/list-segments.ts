import { parseSegmentFile } from '../files/file-names.ts';
import type { Folder } from '../files/folder.ts';
import { readBytes } from '../files/read-fully.ts';
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from '../format/segment-header.ts';
import { NO_SEGMENT } from '../format/segment-id.ts';

/** A segment file as the directory shows it. */
export interface SegmentFile {
  readonly file: string;
  /** Read from the file, or from its name when the header is damaged. */
  readonly header: SegmentHeader;
  readonly isHeaderSound: boolean;
}

/** Lists the segments of a directory in the order of positions. Changes nothing. */
export async function listSegments(folder: Folder): Promise<SegmentFile[]> {
  const found: SegmentFile[] = [];
  for (const file of await folder.list()) {
    const named = parseSegmentFile(file);
    if (named === undefined) continue;
    const header = decodeSegmentHeader(await readHead(folder, file));
    found.push({
      file,
      isHeaderSound: header !== undefined,
      header: header ?? { ...named, idSeed: 0, follows: named.first - 1, replaces: NO_SEGMENT, createdAtMs: 0 },
    });
  }
  return found.sort((a, b) => a.header.first - b.header.first);
}

async function readHead(folder: Folder, file: string): Promise<Buffer> {
  const opened = await folder.open(file, 'read');
  try {
    return await readBytes(opened, 0, SEGMENT_HEADER_BYTES);
  } finally {
    await opened.close();
  }
}
