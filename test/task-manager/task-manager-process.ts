import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = join(import.meta.dirname, '../../examples/task-manager/main.ts');

export interface ProcessOptions {
  readonly dataDir: string;
  readonly port?: number;
  readonly tcpPort?: number;
}

/** The task manager as a process of its own, as `npm run task-manager` starts it. */
export class TaskManagerProcess {
  readonly url: string;
  readonly tcpPort: number;
  readonly pid: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string, tcpPort: number) {
    this.#child = child;
    this.url = url;
    this.tcpPort = tcpPort;
    this.pid = child.pid!;
  }

  static async start({ dataDir, port = 0, tcpPort = 0 }: ProcessOptions): Promise<TaskManagerProcess> {
    const args = [
      'run',
      '--data-dir',
      dataDir,
      '--port',
      String(port),
      '--tcp-port',
      String(tcpPort),
      '--admin',
      'root',
    ];
    const child = spawn(process.execPath, ['--conditions=source', MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let complaint = '';
    child.stderr!.on('data', (text) => {
      complaint = `${complaint}${text}`.slice(-2_000);
    });
    const told = new Promise<RegExpMatchArray>((resolve) => {
      createInterface(child.stdout!).on('line', (line) => {
        const found = line.match(/^The page is on (\S+), commands on TCP port (\d+)/);
        if (found) resolve(found);
      });
    });
    const [, url, foundTcp] = (await Promise.race([told, once(child, 'exit')])) as string[];
    if (typeof url !== 'string' || foundTcp === undefined) throw new TypeError(`It did not start: ${complaint}`);
    return new TaskManagerProcess(child, url, Number(foundTcp));
  }

  /** Resolves when the process is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }

  /** One request; resolves with the status and what was answered. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  async ask(method: string, path: string, body?: object, user = 'ann'): Promise<{ status: number; body: any }> {
    const headers = { 'x-user': user, ...(body ? { 'content-type': 'application/json' } : {}) };
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: response.status, body: await response.json() };
  }

  /** Sends lines over TCP and resolves with the lines that were answered. */
  async lines(...lines: readonly string[]): Promise<string[]> {
    const socket = connect(this.tcpPort, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`${[...lines, 'quit'].join('\n')}\n`);
    const answers: string[] = [];
    for await (const line of createInterface(socket)) answers.push(line);
    socket.destroy();
    return answers.slice(0, -1);
  }
}
