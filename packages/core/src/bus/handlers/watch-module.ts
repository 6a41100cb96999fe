import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cancel, Timers } from '../../runtime/clock.ts';

/** Editors write a file in several steps; what is read in between would be half of it. */
const SETTLE_MS = 50;

/**
 * Calls `onChange` after the file of a module was written, moved there or removed. The folder is watched and not the file: editors
 * put a new file in place of the old one, and a watch of that would end with it. Keeps no process alive.
 */
export function watchModule(url: URL, timers: Timers, onChange: () => void): () => void {
  const path = fileURLToPath(url);
  const name = basename(path);
  let cancel: Cancel | undefined;
  const watcher = watch(dirname(path), { persistent: false }, (_, changed) => {
    if (changed !== null && changed !== name) return;
    cancel?.();
    cancel = timers.after(SETTLE_MS, onChange);
  });
  // A folder that is gone changes no more.
  watcher.on('error', () => watcher.close());
  return () => {
    cancel?.();
    watcher.close();
  };
}
