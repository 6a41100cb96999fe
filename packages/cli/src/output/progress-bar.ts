import type { Clock } from '@event-manager/core/portable';
import type { TerminalStream } from '../cli-context.ts';

export interface ProgressBarOptions {
  /** Where it is drawn; nothing is when there is no terminal. */
  readonly stream: TerminalStream | undefined;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What is counted, such as "events". */
  readonly unit: string;
}

/** Terminals are not faster, and drawing costs more than counting. */
const DRAW_EVERY_MS = 100;
const BAR_CHARACTERS = 24;
const CLEAR = '\r\u001b[K';

/** How far long work is, in one line that is drawn over and gone at the end. */
export class ProgressBar {
  readonly #options: ProgressBarOptions;
  readonly #sinceMs: number;
  readonly #isColoured: boolean;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #isDrawn = false;

  constructor(options: ProgressBarOptions) {
    const { stream, clock, environment } = options;
    this.#options = options;
    this.#sinceMs = clock.monotonicMs();
    const hasNoColor = (environment['NO_COLOR'] ?? '') !== '';
    this.#isColoured = !hasNoColor && (stream?.getColorDepth?.(environment as Record<string, string>) ?? 1) >= 4;
  }

  /** `total` when it is known. */
  update(done: number, total?: number): void {
    const { stream, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (stream === undefined || nowMs - this.#drawnMs < DRAW_EVERY_MS) return;
    this.#drawnMs = nowMs;
    this.#isDrawn = true;
    const line = this.#line(done, total, nowMs - this.#sinceMs);
    stream.write(`${CLEAR}${line.slice(0, (stream.columns ?? 80) - 1)}`);
  }

  /** Leaves an empty line. */
  end(): void {
    if (this.#isDrawn) this.#options.stream?.write(CLEAR);
    this.#isDrawn = false;
  }

  #line(done: number, total: number | undefined, elapsedMs: number): string {
    const { unit } = this.#options;
    const counted = done.toLocaleString('en-US');
    const rate = elapsedMs < 1_000 ? '' : `  ${Math.round((done * 1_000) / elapsedMs).toLocaleString('en-US')}/s`;
    if (total === undefined || total === 0) return `${counted} ${unit}${rate}`;
    const share = Math.min(1, done / total);
    const full = Math.round(share * BAR_CHARACTERS);
    const bar = this.#coloured('█'.repeat(full)) + '░'.repeat(BAR_CHARACTERS - full);
    return `${bar} ${Math.floor(share * 100)} %  ${counted} of ${total.toLocaleString('en-US')} ${unit}${rate}`;
  }

  #coloured(text: string): string {
    return this.#isColoured ? `\u001b[36m${text}\u001b[39m` : text;
  }
}
