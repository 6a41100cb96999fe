/*
 * The folder of a private server, and who clears it away.
 *
 * A run of tests may end in any way: orderly, by Ctrl-C, by kill -9, by the timeout of somebody above it. A server that outlives
 * it costs memory and a port until somebody notices. So a guard, a small shell in a session of its own where no Ctrl-C reaches it,
 * reads from a pipe whose other end only this process holds. The kernel closes that end however this process ends; then
 * the guard kills what it finds and removes the folder.
 *
 * What it finds is on disk, so nobody has to tell it anything: each `<folder>/*.pid` holds in its first line a process (both
 * PostgreSQL and Redis write such a file themselves), each `<folder>/*.container` the name of a Docker container. A process gets
 * SIGQUIT and SIGCONT (PostgreSQL takes its children along; one that a test had stopped must go on to die), and SIGKILL when it
 * is still there after a while.
 *
 * Invariants: the guard exists before the first server of the folder is started; an orderly `remove` stops it only after the
 * servers have ended. A pid in a file of a server that has ended could belong to somebody else, therefore whoever stops a
 * server removes its file (PostgreSQL and Redis do, unless they are killed, and then `ServerProcess` does).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './account.ts';
import { memoryFolder } from './memory-folder.ts';

const GUARD = `
cat > /dev/null
folder=$1
running() {
  for f in "$folder"/*.pid; do
    [ -f "$f" ] || continue
    pid=$(head -n 1 "$f")
    # Ended, and only not fetched yet by whoever became its parent.
    grep -qs '^State:.Z' "/proc/$pid/status" && continue
    kill -0 "$pid" 2> /dev/null && echo "$pid"
  done
}
for c in "$folder"/*.container; do [ -f "$c" ] && docker rm --force --volumes "$(cat "$c")" > /dev/null 2>&1; done
for pid in $(running); do kill -QUIT "$pid"; kill -CONT "$pid"; done
tries=0
while [ -n "$(running)" ] && [ "$tries" -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
for pid in $(running); do kill -KILL "$pid"; done
rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }
`;

export class ServerFolder {
  readonly path: string;
  readonly #guard: ChildProcess;

  private constructor(path: string, guard: ChildProcess) {
    this.path = path;
    this.#guard = guard;
  }

  /** Makes a folder that only the account may enter, inside `parent` (`memoryFolder` when absent). */
  static async create(account: Account | undefined, parent?: string): Promise<ServerFolder> {
    const path = await mkdtemp(join(parent ?? (await memoryFolder()), 'event-manager-server-'));
    if (account) await chown(path, account.uid, account.gid);
    const guard = spawn('sh', ['-c', GUARD, 'event-manager-guard', path], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await once(guard, 'spawn');
    guard.unref();
    (guard.stdin as unknown as { unref(): void }).unref();
    return new ServerFolder(path, guard);
  }

  /** The servers in it have ended. */
  async remove(): Promise<void> {
    this.#guard.kill('SIGKILL');
    await rm(this.path, { recursive: true, force: true });
  }
}
