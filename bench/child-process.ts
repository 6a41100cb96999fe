import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const STOP_MS = 10_000;

export interface RunningChild {
  /** What the awaited pattern found in the output. */
  readonly found: RegExpMatchArray;
  readonly pid: number;
  /** Asks it to end and waits; after ten seconds it is killed. */
  stop(): Promise<void>;
}

/** Starts a TypeScript file of this repository with the Node that runs us, and waits until its output says `ready`. */
export async function startChild(
  file: string,
  args: readonly string[],
  ready: RegExp,
  variables: Readonly<Record<string, string>> = {},
): Promise<RunningChild> {
  const child = spawn(process.execPath, ['--conditions=source', file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...variables },
  });
  const found = await outputMatch(child, ready);
  // Nobody reads on, but a full pipe would stop the child.
  child.stdout?.resume();
  child.stderr?.resume();
  const onExit = () => child.kill('SIGKILL');
  process.on('exit', onExit);
  return {
    found,
    pid: child.pid!,
    async stop() {
      process.off('exit', onExit);
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

function outputMatch(child: ChildProcess, ready: RegExp): Promise<RegExpMatchArray> {
  return new Promise((resolve, reject) => {
    let output = '';
    const look = (chunk: Buffer) => {
      output += chunk;
      const found = output.match(ready);
      if (found) resolve(found);
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('exit', (code) =>
      reject(new Error(`A child process ended with ${code} before it was ready:\n${output}`)),
    );
    child.once('error', reject);
  });
}
