import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

const DEBIAN_POSTGRES = '/usr/lib/postgresql';

/** The full path of a program of this machine. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of [...(await postgresFolders()), ...(process.env['PATH'] ?? '').split(delimiter)]) {
    const path = join(folder, name);
    if (await canRun(path)) return path;
  }
  return undefined;
}

/** Debian keeps the programs of each version of PostgreSQL in a folder of their own, off the path. The newest comes first. */
async function postgresFolders(): Promise<string[]> {
  const versions = await readdir(DEBIAN_POSTGRES).catch(() => []);
  const newestFirst = versions.toSorted((a, b) => Number.parseFloat(b) - Number.parseFloat(a));
  return newestFirst.map((version) => join(DEBIAN_POSTGRES, version, 'bin'));
}

function canRun(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
