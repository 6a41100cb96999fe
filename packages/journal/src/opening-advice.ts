const MAY_NOT = 'This user may not write in the data directory: give it that directory, or name another.';

/** What keeps a journal from being opened that another start would find again. */
const ADVICE: ReadonlyMap<unknown, string> = new Map([
  ['EACCES', MAY_NOT],
  ['EPERM', MAY_NOT],
  ['EROFS', 'The file system of the data directory is read-only.'],
  ['EEXIST', 'The data directory is a file: name a directory.'],
  ['ENOTDIR', 'A part of the path of the data directory is no directory.'],
]);

/** What to do about it, in words without the path; `undefined` where only a restart can tell more. */
export function openingAdvice(error: unknown): string | undefined {
  return ADVICE.get((error as { code?: unknown } | undefined)?.code);
}
