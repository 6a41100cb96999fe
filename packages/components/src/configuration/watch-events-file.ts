import { dirname, resolve } from 'node:path';
import { watch } from 'chokidar';

/** Editors write a file in several steps. */
const STABLE_MS = 50;
/** Kubernetes swaps this link beside the files of a ConfigMap. */
const SWAPPED_LINK = '..data';

/**
 * Calls back after the file changed, came or went. Its folder is watched, because editors put another file in its place; other
 * files there are not looked at. Resolves, when watching has begun, with how to end it.
 */
export async function watchEventsFile(
  path: string,
  onChange: () => void,
  onFailure: (error: unknown) => void,
): Promise<() => Promise<void>> {
  const file = resolve(path);
  const folder = dirname(file);
  const watched = new Set([folder, file, resolve(folder, SWAPPED_LINK)]);
  const watcher = watch(folder, {
    depth: 0,
    ignoreInitial: true,
    ignored: (seen) => !watched.has(resolve(seen)),
    awaitWriteFinish: { stabilityThreshold: STABLE_MS, pollInterval: STABLE_MS / 2 },
  });
  watcher.on('error', onFailure);
  await new Promise<void>((done) => {
    watcher.once('ready', done);
  });
  watcher.on('all', onChange);
  return () => watcher.close();
}
