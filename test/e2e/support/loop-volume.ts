import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

const BYTES = 1 << 30;

/**
 * An ext4 file system in a file, which can lose its power: `shutdown` makes the kernel forget everything that was not on the
 * medium (FS_IOC_SHUTDOWN without flushing the log) and fail whatever is asked of it from then on.
 */
export class LoopVolume {
  readonly mountPoint: string;
  readonly #image: string;

  constructor(directory: string) {
    this.#image = join(directory, 'volume.img');
    this.mountPoint = join(directory, 'mounted');
    mkdirSync(this.mountPoint);
    const descriptor = openSync(this.#image, 'w');
    ftruncateSync(descriptor, BYTES);
    closeSync(descriptor);
    run('mkfs.ext4', '-q', '-F', this.#image);
    this.mount();
  }

  mount(): void {
    run('mount', '-o', 'loop', this.#image, this.mountPoint);
  }

  unmount(): void {
    run('umount', this.mountPoint);
  }

  losePower(): void {
    run('xfs_io', '-x', '-c', 'shutdown', this.mountPoint);
  }
}

/** A machine that was never asked for a package has no list of them yet. */
function installPackage(name: string): void {
  try {
    run('apt-get', 'install', '-y', '-q', name);
  } catch {
    run('apt-get', 'update', '-q');
    run('apt-get', 'install', '-y', '-q', name);
  }
}

/** Why this machine cannot do it; `undefined` when it can. Installs what Debian has and this machine lacks. */
export function whyNoLoopVolume(): string | undefined {
  if (process.getuid?.() !== 0) return 'mounting a file system needs root';
  for (const [tool, debianPackage] of [
    ['xfs_io', 'xfsprogs'],
    ['mkfs.ext4', 'e2fsprogs'],
    ['mount', 'mount'],
  ] as const) {
    if (isThere(tool)) continue;
    try {
      installPackage(debianPackage);
    } catch {
      return `${tool} is missing and ${debianPackage} cannot be installed`;
    }
  }
  try {
    run('losetup', '--find');
    return undefined;
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    return `there is no free loop device: ${String(stderr ?? error).trim()}`;
  }
}

function isThere(tool: string): boolean {
  try {
    run('which', tool);
    return true;
  } catch {
    return false;
  }
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
