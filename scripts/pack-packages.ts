import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from './repository-root.ts';

const run = promisify(execFile);

/** Builds every package and packs it into `directory`. Resolves with the tarballs, which install together. */
export async function packPackages(directory: string): Promise<string[]> {
  const folders = readdirSync(join(repositoryRoot, 'packages')).map((name) => join('packages', name));
  await run(process.execPath, [join(repositoryRoot, 'node_modules/typescript/bin/tsc'), '-b', ...folders], {
    cwd: repositoryRoot,
  });
  await mkdir(directory, { recursive: true });
  const pack = ['pack', '--workspaces', '--json', '--pack-destination', directory, '--loglevel=error'];
  const { stdout } = await run('npm', pack, { cwd: repositoryRoot, maxBuffer: 64 << 20 });
  const packed = JSON.parse(stdout.slice(stdout.indexOf('['))) as readonly { filename: string }[];
  return packed.map(({ filename }) => join(directory, filename));
}
