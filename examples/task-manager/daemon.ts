/**
 * The task manager in the background. Nothing here decides whether one runs: `running.json` beside the journal only says where the
 * last one was to be found, and it is asked there who it is. That one process has the journal open is held by a lock that the
 * kernel releases when its holder dies, so a second start ends by itself and a killed one leaves nothing to clear up.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export interface Running {
  readonly instance: string;
  readonly url: string;
  readonly tcpPort: number;
}

export interface FoundRunning extends Running {
  readonly pid: number;
  readonly tasks: number;
}

const MAIN = join(import.meta.dirname, 'main.ts');
const START_MS = 15_000;
const STOP_MS = 10_000;
const ASK_MS = 2_000;
const LOOK_MS = 50;

export const logFile = (dataDir: string): string => join(dataDir, 'task-manager.log');
const runningFile = (dataDir: string): string => join(dataDir, 'running.json');

/** Says where this process is to be found, to its user alone: who knows the instance can pass for it once it is gone. */
export function tellRunning(dataDir: string, running: Running): void {
  const file = runningFile(dataDir);
  rmSync(file, { force: true });
  writeFileSync(file, `${JSON.stringify(running)}\n`, { mode: 0o600 });
}

/** The one that serves this folder, if one does. */
export async function findRunning(dataDir: string): Promise<FoundRunning | undefined> {
  try {
    const running = JSON.parse(readFileSync(runningFile(dataDir), 'utf8')) as Running;
    const response = await fetch(`${running.url}/api/status`, { signal: AbortSignal.timeout(ASK_MS) });
    const { instance, pid, tasks } = (await response.json()) as FoundRunning;
    // The port may be somebody else's by now. A pid that is no process of its own would mean groups of them to a signal.
    const isIt = instance === running.instance && Number.isSafeInteger(pid) && pid > 1;
    return isIt ? { ...running, pid, tasks } : undefined;
  } catch {
    return undefined;
  }
}

/** Resolves when it takes commands. Rejects with the end of its log when it ends instead. */
export async function startDaemon(dataDir: string, args: readonly string[]): Promise<FoundRunning> {
  mkdirSync(dataDir, { recursive: true });
  const log = openSync(logFile(dataDir), 'a', 0o600);
  const child = spawn(process.execPath, [...process.execArgv, MAIN, 'run', ...args], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  const ended = once(child, 'exit').then(() => undefined);
  const untilMs = performance.now() + START_MS;
  while (performance.now() < untilMs) {
    const running = await findRunning(dataDir);
    if (running && running.pid === child.pid) {
      child.unref();
      return running;
    }
    if (child.exitCode !== null || child.signalCode !== null) break;
    await Promise.race([wait(LOOK_MS), ended]);
  }
  child.kill();
  throw new TypeError(`It did not start: ${readFileSync(logFile(dataDir), 'utf8').trim().split('\n').at(-1)}`);
}

/** Resolves with the one that was stopped, when its process is gone; with nothing when none ran. */
export async function stopDaemon(dataDir: string): Promise<FoundRunning | undefined> {
  const running = await findRunning(dataDir);
  if (!running) return undefined;
  process.kill(running.pid, 'SIGTERM');
  const untilMs = performance.now() + STOP_MS;
  while (isThere(running.pid)) {
    if (performance.now() > untilMs) throw new TypeError(`Process ${running.pid} does not end.`);
    await wait(LOOK_MS);
  }
  return running;
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
