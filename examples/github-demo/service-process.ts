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
  /** More for the command line. */
  readonly args?: readonly string[];
  /** What starts it, such as `ip netns exec NAME`; by default it is started at once. */
  readonly by?: readonly string[];
}

/** The service as a process of its own, started as `npm start` does. */
export class ServiceProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  /** Its log: every line it wrote to stdout. */
  readonly log: string[] = [];
  #complaint = '';
  #url: string | undefined;

  constructor({ dataDir, port, environment, args: more = [], by = [] }: ServiceProcessOptions) {
    const args = ['--conditions=source', MAIN, '--port', String(port), '--data-dir', dataDir, ...more];
    // Settings of whoever runs this are not meant for it.
    const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
    // Several run at once, and the port of the metrics is one.
    const own = { EVENT_MANAGER_METRICS_ENABLED: 'false', ...environment };
    const env = { ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }), PATH, HOME, ...own };
    const [program, ...rest] = [...by, process.execPath, ...args];
    this.#child = spawn(program!, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#exited = once(this.#child, 'exit').then(([code]) => code as number | null);
    this.#child.stderr!.on('data', (text) => {
      this.#complaint = `${this.#complaint}${text}`.slice(-2_000);
    });
  }

  static async start(options: ServiceProcessOptions): Promise<ServiceProcess> {
    const service = new ServiceProcess(options);
    await service.listening();
    return service;
  }

  /** Resolves when it listens. Rejects with what it said when it ends instead. */
  async listening(): Promise<void> {
    const found = new Promise<string>((resolve) => {
      createInterface(this.#child.stdout!).on('line', (line) => {
        this.log.push(line);
        const { msg, url } = readLine(line);
        if (msg === 'listening' && url !== undefined) resolve(url);
      });
    });
    const url = await Promise.race([found, this.#exited]);
    if (typeof url !== 'string') throw new Error(`The service did not start: ${this.#complaint.trim()}`);
    this.#url = url;
  }

  get url(): string {
    if (this.#url === undefined) throw new TypeError('The service does not listen yet.');
    return this.#url;
  }

  /** What it said to people so far. */
  get complaint(): string {
    return this.#complaint;
  }

  get exited(): Promise<number | null> {
    return this.#exited;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it in the way of the signal and resolves with its exit code, `null` when the signal itself ended it. */
  stop(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    this.signal(signal);
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
