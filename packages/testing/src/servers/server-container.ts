import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Startable } from './private-server.ts';
import { ServerError } from './server-error.ts';
import { untilReady } from './until-ready.ts';

/** With the time to fetch an image. */
const START_MS = 300_000;
const READY_MS = 60_000;
const ASK_MS = 60_000;
const SHOWN_CHARACTERS = 2_000;
const run = promisify(execFile);

export interface ContainerOptions {
  /** Nobody else has it. */
  readonly name: string;
  /** Where the guard looks for containers to remove. */
  readonly folder: string;
  readonly image: string;
  /** On 127.0.0.1; the same over every restart. */
  readonly port: number;
  readonly insidePort: number;
  /** Given by environment and not by argument, so that nobody reads a password in the list of processes. */
  readonly environment: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  isReady(): Promise<boolean>;
}

/** One server as a Docker container, that can be ended in any way and started again on its data. */
export class ServerContainer implements Startable {
  readonly pid: undefined;
  readonly #options: ContainerOptions;
  #isMade = false;

  constructor(options: ContainerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { name, isReady } = this.#options;
    if (this.#isMade) await run('docker', ['start', name], { timeout: ASK_MS });
    else await this.#make();
    const ready = await untilReady(READY_MS, isReady);
    if (ready) return;
    const { stdout, stderr } = await run('docker', ['logs', name], { timeout: ASK_MS });
    throw new ServerError(`The container did not answer:\n${`${stdout}${stderr}`.slice(-SHOWN_CHARACTERS)}`);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const { name } = this.#options;
    // One that ended before refuses the signal; that it has ended is all we want.
    await run('docker', ['kill', '--signal', signal, name], { timeout: ASK_MS }).catch(() => {});
    if (this.#isMade) await run('docker', ['wait', name], { timeout: ASK_MS });
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    await run('docker', ['kill', '--signal', signal, this.#options.name], { timeout: ASK_MS });
  }

  async remove(): Promise<void> {
    await run('docker', ['rm', '--force', '--volumes', this.#options.name], { timeout: ASK_MS });
  }

  async #make(): Promise<void> {
    const { name, folder, image, port, insidePort, environment, args } = this.#options;
    await writeFile(join(folder, `${name}.container`), name);
    const variables = Object.keys(environment).flatMap((variable) => ['--env', variable]);
    const given = ['--detach', '--name', name, '--publish', `127.0.0.1:${port}:${insidePort}`, ...variables];
    const env = { ...process.env, ...environment };
    await run('docker', ['run', ...given, image, ...args], { timeout: START_MS, env });
    this.#isMade = true;
  }
}

/** Why there is no Docker here to start a container with; `undefined` when there is. */
export async function whyNoDocker(): Promise<string | undefined> {
  return run('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: ASK_MS }).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? 'there is no Docker' : 'no daemon of Docker answers'),
  );
}
