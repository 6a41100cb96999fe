import type { DiskFile, Runtime } from '@event-manager/core';
import { EventManagerError } from '@event-manager/core';

/**
 * Writes all of `bytes` at offset `at`. The operating system may take fewer bytes than it was given (a signal, a quota, a
 * nearly full disk); the rest is written again until it is in or an error says why not.
 */
export async function writeFully(file: DiskFile, bytes: Uint8Array, at: number, runtime: Runtime): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const taken = await file.write(done === 0 ? bytes : bytes.subarray(done), at + done);
    if (runtime.planted.has('ignore-short-write')) return;
    if (taken <= 0) throw new EventManagerError('store_failed', 'The disk took no bytes and gave no reason.');
    done += taken;
  }
}
