import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { readServices } from '../../examples/saga/services.ts';

const SHOP = join(import.meta.dirname, '../../examples/saga/shop.ts');

/** The shop of the example as a process of its own. */
export class ShopProcess {
  readonly #directory: string;
  readonly #child: ChildProcess;
  /** Resolves with its first words, or when it ends without any. */
  readonly begun: Promise<unknown>;
  readonly ended: Promise<number | string>;
  output = '';

  /** With a key it dies right after the service did that. */
  constructor(directory: string, deadlyKey?: string) {
    this.#directory = directory;
    const args = ['--conditions=source', SHOP, directory, ...(deadlyKey === undefined ? [] : [deadlyKey])];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout!.setEncoding('utf8').on('data', (text) => {
      this.output += text;
    });
    const spoken = once(this.#child.stdout!, 'data');
    this.ended = once(this.#child, 'close').then(([code, signal]) => (signal ?? code) as number | string);
    this.begun = Promise.race([spoken, this.ended]);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** What the services did, sorted. */
  get done(): string[] {
    return readServices(join(this.#directory, 'services.jsonl'))
      .map(({ key }) => key)
      .sort();
  }
}
