import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm } from 'node:fs/promises';
import type { Account } from './account.ts';
import type { Startable } from './private-server.ts';
import { ServerError } from './server-error.ts';
import { untilReady } from './until-ready.ts';

const READY_MS = 60_000;
const END_MS = 30_000;
const SHOWN_CHARACTERS = 2_000;

export interface ServerProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly account: Account | undefined;
  /** Where it writes its process id; the guard of the folder looks there. */
  readonly pidFile: string;
  /** Takes what it prints. A pipe instead would stop the server while this process is too busy to read it. */
  readonly logFile: string;
  /** Answers the way a client would see it. */
  isReady(): Promise<boolean>;
}

/** One server as a process of this machine, that can be ended in any way and started again. */
export class ServerProcess implements Startable {
  readonly #program: ServerProgram;
  #child: ChildProcess | undefined;

  constructor(program: ServerProgram) {
    this.#program = program;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it answers; rejects with what it printed when it ended instead. */
  async start(): Promise<void> {
    if (this.#child) throw new TypeError('The server runs already.');
    const { program, args, account, logFile, isReady } = this.#program;
    const log = await open(logFile, 'a');
    // A session of its own: Ctrl-C on the terminal is for the tests, and they stop the server.
    const child = spawn(program, args, { ...account, cwd: '/', detached: true, stdio: ['ignore', log.fd, log.fd] });
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    this.#child = child;
    child.unref();
    void ended.then(() => {
      if (this.#child === child) this.#child = undefined;
    });
    await log.close();
    const runs = () => this.#child === child;
    const ready = await untilReady(READY_MS, async () => !runs() || (await isReady()));
    if (ready && runs()) return;
    await this.end('SIGKILL');
    throw new ServerError(`${program} did not start:\n${await this.#lastWords()}`);
  }

  /** Sends the signal and resolves when the process is gone; one that ignores it is killed in the end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child) return;
    child.ref();
    const ended = once(child, 'exit').then(() => true);
    child.kill(signal);
    if (child.exitCode === null && child.signalCode === null) {
      // Stopped by a test, it would not hear any signal but this one.
      child.kill('SIGCONT');
      const inTime = await untilReady(END_MS, () => child.exitCode !== null || child.signalCode !== null);
      if (!inTime) child.kill('SIGKILL');
      await ended;
    }
    this.#child = undefined;
    await rm(this.#program.pidFile, { force: true });
  }

  /** For signals that do not end it: SIGSTOP, SIGCONT, SIGHUP. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    if (!this.#child?.kill(signal)) throw new TypeError('The server does not run.');
  }

  async remove(): Promise<void> {}

  async #lastWords(): Promise<string> {
    return (await readFile(this.#program.logFile, 'utf8').catch(() => '')).slice(-SHOWN_CHARACTERS);
  }
}
