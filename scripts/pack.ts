// `npm run pack`: every package as a tarball in `packed/`, for projects beside this clone until a registry has them.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { packPackages } from './pack-packages.ts';
import { repositoryRoot } from './repository-root.ts';

const directory = join(repositoryRoot, 'packed');
await rm(directory, { recursive: true, force: true });
const tarballs = await packPackages(directory);
process.stdout.write(
  `${tarballs.length} packages. In the folder of your program:\n\n  npm install ${directory}/*.tgz\n`,
);
