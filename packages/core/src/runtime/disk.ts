/**
 * The file system as the journal sees it. The real one is `nodeDisk` of `@event-manager/journal`; the simulated one, which
 * loses what was not synced, tears sectors, flips bits, fills up and fails, is in `@event-manager/testing`.
 *
 * Errors are those of Node: an `Error` with `code` such as `ENOENT`, `ENOSPC`, `EIO`, `EEXIST`.
 */
export interface Disk {
  /** Opens a file. `read` never changes it; `write` may read and write; `create` makes it and throws `EEXIST` if it is there. */
  open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile>;
  /** Replaces `to` atomically. Durable only after `syncDir` of the folder. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. Durable only after `syncDir` of the folder. Throws `ENOENT`. */
  remove(path: string): Promise<void>;
  /** Makes a folder and its parents; does nothing if it is there. */
  makeDir(path: string): Promise<void>;
  /** Names of the files (not folders) directly in `dir`, sorted. */
  list(dir: string): Promise<string[]>;
  /** Makes created, renamed and removed names in `dir` durable. */
  syncDir(dir: string): Promise<void>;
  /**
   * Takes a lock that the kernel releases when the holder dies. Resolves with the release function, or `undefined` when
   * somebody else holds it. Never waits longer than one second.
   */
  lock(path: string): Promise<(() => Promise<void>) | undefined>;
  /** Bytes that can still be written to the file system that holds `dir`. */
  freeBytes(dir: string): Promise<number>;
}

export interface DiskFile {
  readonly path: string;
  size(): Promise<number>;
  /** Reads up to `into.length` bytes at offset `at`; resolves with how many, fewer only at the end of the file. */
  read(into: Uint8Array, at: number): Promise<number>;
  /** Writes at offset `at`; resolves with how many bytes were taken, which may be fewer than given (a short write). */
  write(bytes: Uint8Array, at: number): Promise<number>;
  /** `fdatasync`: contents and size are durable when it resolves. After it rejected once, nothing about the file is known. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}
