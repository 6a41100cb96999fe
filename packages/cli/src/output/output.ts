import type { CliContext, TerminalStream } from '../cli-context.ts';
import { plain } from './plain.ts';

export interface OutputFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/**
 * What a command prints. Results go to stdout and nothing else does: with `--json` one value or one per line. Notes for people
 * go to stderr; `--quiet` leaves them out. Writing waits for a slow reader.
 */
export class Output {
  readonly json: boolean;
  readonly #quiet: boolean;
  readonly #context: CliContext;

  constructor(context: CliContext, flags: OutputFlags) {
    this.json = flags.json === true;
    this.#quiet = flags.quiet === true;
    this.#context = context;
  }

  /** A result, as one line of JSON or as lines for people. */
  result(value: unknown, lines: () => readonly string[]): Promise<void> {
    return this.#write(this.json ? [plain(JSON.stringify(value))] : lines());
  }

  /** A result that people read as it is: JSON over several lines. */
  whole(value: unknown): Promise<void> {
    return this.result(value, () => JSON.stringify(value, undefined, 2).split('\n').map(plain));
  }

  /** Lines that are the result in either form, such as a script. */
  text(text: string): Promise<void> {
    return this.#write([text]);
  }

  /** For people who do not want to be asked what happened. */
  note(text: string): void {
    if (!this.#quiet && !this.json) this.#context.process.stderr.write(`${text}\n`);
  }

  /** Worth knowing whatever was asked for; on stderr also with `--json`. */
  warning(text: string): void {
    if (!this.#quiet) this.#context.process.stderr.write(`${text}\n`);
  }

  /** Resolves with true once what was printed has left this process, with false when its reader went away, or nobody waits. */
  taken(): Promise<boolean> {
    const { interruption, process } = this.#context;
    const { signal } = interruption;
    return new Promise((resolve) => {
      const interrupted = () => resolve(false);
      signal.addEventListener('abort', interrupted, { once: true });
      if (signal.aborted) interrupted();
      process.stdout.write('', (error) => {
        signal.removeEventListener('abort', interrupted);
        resolve(!error && !signal.aborted);
      });
    });
  }

  /** Where progress may be drawn: a terminal with somebody in front of it. */
  get progressStream(): TerminalStream | undefined {
    const { stderr } = this.#context.process;
    return stderr.isTTY === true && !this.#quiet && !this.json ? stderr : undefined;
  }

  async #write(lines: readonly string[]): Promise<void> {
    const { interruption, process } = this.#context;
    if (lines.length === 0 || interruption.ending === 'brokenPipe') return;
    if (process.stdout.write(`${lines.join('\n')}\n`)) return;
    await drained(process.stdout, interruption.signal);
  }
}

/** A reader that takes nothing holds the work up, until it is interrupted. */
function drained(stream: TerminalStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    stream.on('drain', done);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
