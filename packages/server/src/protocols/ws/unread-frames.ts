/** A connection in the middle of frames that are not whole yet. */
export interface FrameReader {
  /** Bytes that came since the last whole frame, which have to be kept until theirs is. */
  readonly unreadBytes: number;
  cutUnread(): void;
}

/**
 * A limit per frame says nothing about thousands of frames that are begun and never finished: what all of them hold together
 * is bounded as that of all HTTP bodies is, and beyond it those go first that hold the most.
 */
export function cutLargestUnread(readers: Iterable<FrameReader>, bytesMax: number): void {
  let sum = 0;
  const holding: { reader: FrameReader; bytes: number }[] = [];
  for (const reader of readers) {
    const bytes = reader.unreadBytes;
    if (bytes === 0) continue;
    sum += bytes;
    holding.push({ reader, bytes });
  }
  if (sum <= bytesMax) return;
  holding.sort((a, b) => b.bytes - a.bytes);
  for (const { reader, bytes } of holding) {
    if (sum <= bytesMax) return;
    reader.cutUnread();
    sum -= bytes;
  }
}
