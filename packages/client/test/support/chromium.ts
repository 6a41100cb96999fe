import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const CHROMIUM = '/usr/bin/chromium';

/** Where this machine's browser is, or why there is none. Installs what Debian has when it may. */
export function findChromium(): { readonly path: string } | { readonly missing: string } {
  if (existsSync(CHROMIUM)) return { path: CHROMIUM };
  if (process.getuid?.() !== 0) return { missing: 'there is no Chromium, and installing it needs root' };
  try {
    install();
    return { path: CHROMIUM };
  } catch {
    return { missing: 'there is no Chromium, and it cannot be installed' };
  }
}

/** A machine that was never asked for a package has no list of them yet. */
function install(): void {
  try {
    run('apt-get', 'install', '-y', '-q', 'chromium');
  } catch {
    run('apt-get', 'update', '-q');
    run('apt-get', 'install', '-y', '-q', 'chromium');
  }
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: 'ignore' });
}
