import { execFile } from 'node:child_process';
import { access, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { findProgram } from './find-program.ts';

const INSTALL_MS = 300_000;
const POLICY = '/usr/sbin/policy-rc.d';
/** Debian starts a server when its package is installed, unless this program says no. It stops to say so when we are gone. */
const POLICY_TEXT = `#!/bin/sh\nkill -0 ${process.pid} 2> /dev/null && exit 101\nexit 0\n`;

const run = promisify(execFile);

/** Installs a package of Debian when we may; its own server is not started. The text says why it is not there, if it is not. */
export async function installPackage(name: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return `only root may install the package ${name}`;
  const apt = await findProgram('apt-get');
  if (apt === undefined) return 'there is no apt-get';
  const isOurs = await writeFile(POLICY, POLICY_TEXT, { mode: 0o755, flag: 'wx' }).then(
    () => true,
    () => false,
  );
  try {
    await install(apt, name);
    return undefined;
  } catch (error) {
    return `apt-get could not install ${name}: ${lastLine(error)}`;
  } finally {
    if (isOurs) await rm(POLICY, { force: true });
  }
}

async function install(apt: string, name: string): Promise<void> {
  const options = { timeout: INSTALL_MS, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' } };
  const hasLists = await access('/var/lib/apt/lists/lock').then(
    () => true,
    () => false,
  );
  if (!hasLists) await run(apt, ['update'], options);
  const command = ['install', '-y', '--no-install-recommends', name];
  // Lists of long ago name versions that the mirror no longer has.
  await run(apt, command, options).catch(async () => {
    await run(apt, ['update'], options);
    await run(apt, command, options);
  });
}

function lastLine(error: unknown): string {
  const { stderr } = error as { stderr?: string };
  return (stderr || String(error)).trim().split('\n').at(-1)!;
}
