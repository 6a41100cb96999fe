import type { Readable, Writable } from 'node:stream';
import type { Runtime } from '@event-manager/core/portable';
import type { CommandContext } from '@stricli/core';
import { type Ending, EXIT_CODES } from './exit-codes.ts';
import { Interruption } from './interruption.ts';

/** A stream that may be a terminal. */
export type TerminalStream = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  getColorDepth?(environment?: Readonly<Partial<Record<string, string>>>): number;
};

export interface CliSurroundings {
  readonly args: readonly string[];
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  readonly runtime: Runtime;
  /** Where signals arrive: the process. */
  readonly signals: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
}

const ENDINGS = { SIGINT: 'interrupted', SIGTERM: 'terminated' } as const;

/** What a command has: the streams, the surroundings, and a way to say how it ended. */
export class CliContext implements CommandContext {
  readonly surroundings: CliSurroundings;
  readonly process: {
    readonly stdout: TerminalStream;
    readonly stderr: TerminalStream;
    readonly env: Readonly<Partial<Record<string, string>>>;
    exitCode?: number | string | null;
  };
  readonly interruption: Interruption = new Interruption();
  #ending: Ending = 'done';

  constructor(surroundings: CliSurroundings) {
    const { stdout, stderr, environment } = surroundings;
    this.surroundings = surroundings;
    this.process = { stdout, stderr, env: environment as Readonly<Partial<Record<string, string>>> };
  }

  /**
   * Runs work that ends by itself when it is interrupted; how it fails then is nobody's concern. Everything else is ended by the
   * signal: a handler that nobody listens to would make Ctrl-C do nothing.
   */
  async interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signals } = this.surroundings;
    const handlers = Object.entries(ENDINGS).map(
      ([name, ending]) => [name, () => this.interruption.by(ending)] as const,
    );
    for (const [name, handler] of handlers) signals.on(name, handler);
    try {
      await work(this.interruption.signal);
    } catch (error) {
      if (!this.interruption.signal.aborted) throw error;
    } finally {
      for (const [name, handler] of handlers) signals.off(name, handler);
    }
  }

  /** The command has said what there is to say and ends so. */
  end(ending: Ending): void {
    this.#ending = ending;
  }

  get exitCode(): number {
    return EXIT_CODES[this.interruption.ending ?? this.#ending].code;
  }
}
