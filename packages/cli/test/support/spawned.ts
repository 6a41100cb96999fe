import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The command as a clone has it. */
export const BIN = fileURLToPath(new URL('../../bin/event-manager.mjs', import.meta.url));

/** A PATH on which `event-manager` is this command and `node` the one that runs the tests. */
export function pathWith(folder: string): string {
  return [folder, dirname(process.execPath), process.env['PATH']].join(delimiter);
}

export class Spawned {
  readonly child: ChildProcess;
  out = '';
  err = '';
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;

  constructor(command: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
    this.child = spawn(command, args, { env: { ...process.env, ...environment }, stdio: 'pipe' });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
    this.ended = once(this.child, 'close').then(([code, signal]) => ({ code, signal }));
    onTestFinished(async () => {
      if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  /** Resolves when one of the outputs matches. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.out) ?? pattern.exec(this.err);
      if (found !== null) return found;
      const ended = await Promise.race([
        this.ended.then(() => true),
        once(this.child.stdout!, 'data').then(() => false),
        once(this.child.stderr!, 'data').then(() => false),
      ]);
      const last = pattern.exec(this.out) ?? pattern.exec(this.err);
      if (last !== null) return last;
      if (ended) throw new TypeError(`It ended without ${pattern}:\n${this.out}\n${this.err}`);
    }
  }
}

export function spawned(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Spawned {
  return new Spawned(process.execPath, [BIN, ...args], environment);
}
