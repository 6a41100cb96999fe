import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Timers } from '@event-manager/core';
import { readSmallFile } from './read-small-file.ts';

export interface FileWatchOptions {
  readonly path: string;
  readonly timers: Timers;
  onChange(): void;
  /** The folder cannot be watched (any more). */
  onFailure(error: Error): void;
}

/** Editors and ConfigMaps change a folder in several steps. */
const SETTLE_MS = 200;

/**
 * Calls back some time after the content of a file changed, or it came or went. The folder is watched and not the file,
 * because editors replace files and Kubernetes swaps a link beside them: the watch of a file would stay with what is gone.
 * The folder may be busy with other files, so the content decides. Returns how to end it.
 */
export function watchFile({ path, timers, onChange, onFailure }: FileWatchOptions): () => void {
  let known = contentOf(path);
  let cancel: (() => void) | undefined;
  let watcher: FSWatcher | undefined;
  const look = () => {
    cancel = undefined;
    const found = contentOf(path);
    if (found === known) return;
    known = found;
    onChange();
  };
  try {
    watcher = watch(dirname(path), () => {
      cancel ??= timers.after(SETTLE_MS, look);
    });
    watcher.on('error', onFailure);
  } catch (error) {
    onFailure(error as Error);
  }
  return () => {
    cancel?.();
    watcher?.close();
  };
}

/** Settings are a few kilobytes: reading them costs less than being wrong about times of change. */
function contentOf(path: string): string | undefined {
  try {
    return readSmallFile(path);
  } catch {
    return undefined;
  }
}
