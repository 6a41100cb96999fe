import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A module that is named by a path, a `file:` URL or the name of a package. */
export interface ModulePlace {
  readonly path: string;
  /** The folder that relative paths and packages are looked up from. */
  readonly from: string;
}

/** The address of the module. Throws what looking up a package throws. */
export function moduleUrl({ path, from }: ModulePlace): URL {
  if (path.startsWith('file:')) return new URL(path);
  if (/^(\.{1,2}[\\/]|[\\/]|[A-Za-z]:[\\/])/.test(path)) return pathToFileURL(resolve(from, path));
  return pathToFileURL(createRequire(resolve(from, 'package.json')).resolve(path));
}

/** The working directory, or the folder that is said by a path or URL. */
export function folderOf(from: string | URL | undefined): string {
  if (from === undefined) return process.cwd();
  return typeof from === 'string' && !from.startsWith('file:') ? from : fileURLToPath(new URL('.', from));
}

/** Node keeps every module for ever under its address; a version makes the address new, and with it the module. */
export async function importModule(url: URL, version?: number): Promise<Readonly<Record<string, unknown>>> {
  const address = new URL(url);
  if (version !== undefined) address.searchParams.set('version', String(version));
  return (await import(address.href)) as Record<string, unknown>;
}
