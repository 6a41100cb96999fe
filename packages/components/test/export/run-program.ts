import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

const program = join(import.meta.dirname, 'export-program.ts');

export function startProgram(orders: object, uid?: number): ChildProcessWithoutNullStreams {
  const flags = ['--conditions=source', '--no-warnings', program, JSON.stringify(orders)];
  const child = spawn(process.execPath, flags, uid === undefined ? {} : { uid, gid: uid });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** What the program printed, and the last line of what it said of itself. */
export async function runProgram(orders: object, uid?: number) {
  const child = startProgram(orders, uid);
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  const said = stderr.trim().split('\n').at(-1) ?? '';
  return { stdout, stderr, code: code as number | null, signal: signal as string | null, said };
}
