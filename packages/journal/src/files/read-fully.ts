import type { DiskFile } from '@event-manager/core';

/** Fills `into` from offset `at` and resolves with the number of bytes, which is smaller only at the end of the file. */
export async function readFully(file: DiskFile, into: Uint8Array, at: number): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const count = await file.read(done === 0 ? into : into.subarray(done), at + done);
    if (count <= 0) break;
    done += count;
  }
  return done;
}

/** The `length` bytes at offset `at`, fewer at the end of the file. */
export async function readBytes(file: DiskFile, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, await readFully(file, bytes, at));
}
