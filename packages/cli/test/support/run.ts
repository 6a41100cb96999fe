import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { systemRuntime } from '@event-manager/core';
import { onTestFinished } from 'vitest';
import { runCli } from '../../src/run-cli.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly stdin?: string | Readable;
  readonly environment?: Readonly<Record<string, string>>;
  /** Standard error is a terminal. */
  readonly isTerminal?: boolean;
  readonly homeDirectory?: string;
}

export interface Running {
  readonly result: Promise<Ran>;
  /** Resolves when the output holds the text. */
  shows(text: string): Promise<void>;
  interrupt(signal?: 'SIGINT' | 'SIGTERM'): void;
  /** Whoever reads standard output goes away. */
  hangUp(): void;
}

class Collector extends Writable {
  text = '';
  isTTY = false;
  columns = 100;
  isBroken = false;

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    if (this.isBroken) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      return;
    }
    this.text += chunk.toString();
    this.emit('collected');
    done();
  }

  getColorDepth(): number {
    return this.isTTY ? 8 : 1;
  }
}

/** Starts one command line in this process, with streams of its own. */
export function start(args: readonly string[], options: RunOptions = {}): Running {
  const { stdin = '', environment = {}, isTerminal = false, homeDirectory = '/home/somebody' } = options;
  const [stdout, stderr] = [new Collector(), new Collector()];
  stderr.isTTY = isTerminal;
  const signals = new EventEmitter();
  const running = runCli({
    args,
    stdin: typeof stdin === 'string' ? Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]) : stdin,
    stdout,
    stderr,
    environment,
    homeDirectory,
    runtime: systemRuntime,
    signals,
  });
  return {
    result: running.then((code) => ({ code, out: stdout.text, err: stderr.text })),
    async shows(text) {
      while (!stdout.text.includes(text) && !stderr.text.includes(text)) {
        await Promise.race([once(stdout, 'collected'), once(stderr, 'collected')]);
      }
    },
    interrupt: (signal = 'SIGINT') => void signals.emit(signal),
    hangUp() {
      stdout.isBroken = true;
    },
  };
}

export function run(args: readonly string[], options?: RunOptions): Promise<Ran> {
  return start(args, options).result;
}

export function temporaryFolder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'event-manager-cli-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
