import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';

const MEMORY = '/dev/shm';
const FREE_BYTES_MIN = 2 ** 30;

/**
 * In memory where there is room: a sync costs nothing there, and a server that is killed finds on its return what it had written,
 * as on a disk. What differs is the loss of power and the speed; whoever tests or measures those names a folder.
 */
export async function memoryFolder(): Promise<string> {
  const room = await statfs(MEMORY).catch(() => undefined);
  return room !== undefined && room.bavail * room.bsize >= FREE_BYTES_MIN ? MEMORY : tmpdir();
}
