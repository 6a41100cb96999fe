import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What a fresh process found when it opened a journal; sizes are resident memory. */
export interface OpenedJournal {
  readonly head: number;
  readonly subscriptions: number;
  /** From the first call to the open engine; starting Node and loading our code is not in it. */
  readonly openMs: number;
  readonly openedBytes: number;
  readonly lookedUpBytes: number;
  readonly publishedBytes: number;
}

/** Opens the journal in a fresh process, looks up random events by id, publishes some more, and closes it. */
export async function openedJournal(
  directory: string,
  { lookUps = 0, publishes = 0 }: { readonly lookUps?: number; readonly publishes?: number } = {},
): Promise<OpenedJournal> {
  const script = join(import.meta.dirname, 'open-journal.ts');
  const args = ['--conditions=source', script, directory, `${lookUps}`, `${publishes}`];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as OpenedJournal;
}
