import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url));

export interface ServiceProcessOptions {
  readonly dataDir: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** The service as a process of its own, started as `npm start` does. */
export class ServiceProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;

  private constructor(child: ChildProcess, exited: Promise<number | null>, url: string) {
    this.#child = child;
    this.#exited = exited;
    this.url = url;
  }

  /** Resolves when it listens. Rejects with what it said when it ends instead. */
  static async start({ dataDir, port, environment }: ServiceProcessOptions): Promise<ServiceProcess> {
    const args = ['--conditions=source', MAIN, '--port', String(port), '--data-dir', dataDir];
    // Settings of whoever runs this are not meant for it.
    const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
    const env = { ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }), PATH, HOME, ...environment };
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const exited = once(child, 'exit').then(([code]) => code as number | null);
    let complaint = '';
    child.stderr.on('data', (text) => {
      complaint = `${complaint}${text}`.slice(-2_000);
    });
    const listening = new Promise<string>((resolve) => {
      createInterface(child.stdout).on('line', (line) => {
        const { msg, url } = readLine(line);
        if (msg === 'listening' && url !== undefined) resolve(url);
      });
    });
    const url = await Promise.race([listening, exited]);
    if (typeof url === 'string') return new ServiceProcess(child, exited, url);
    throw new Error(`The service did not start: ${complaint.trim()}`);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Ends it in the way of the signal and resolves with its exit code, `null` when the signal itself ended it. */
  stop(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    return this.#exited;
  }
}

function readLine(line: string): { msg?: string; url?: string } {
  try {
    return JSON.parse(line) as { msg?: string; url?: string };
  } catch {
    return {};
  }
}
