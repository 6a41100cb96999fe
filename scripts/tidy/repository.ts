import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../repository-root.ts';

export interface RepositoryText {
  /** Path to text of every TypeScript file that git knows or would add. */
  readonly sources: ReadonlyMap<string, string>;
  /** The text of every package.json and of every command of a package: what they name is an entry point. */
  readonly manifests: readonly string[];
}

export function readRepository(): RepositoryText {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const paths = [...new Set(listed.split('\0'))].filter((path) => existsSync(join(repositoryRoot, path)));
  const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
  return {
    sources: new Map(paths.filter((path) => path.endsWith('.ts')).map((path) => [path, read(path)])),
    manifests: paths.filter((path) => /(^|\/)package\.json$|^packages\/[^/]+\/bin\//.test(path)).map(read),
  };
}
