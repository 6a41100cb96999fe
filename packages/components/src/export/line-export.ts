import type { Cancel } from '@event-manager/core';
import { outsideOfFlows } from '../observe/flow.ts';
import type { Export, ExportParts, ExportStatus } from './export.ts';
import type { ExportedEvent } from './exported-event.ts';

/** A file, or the standard output. Rejects with errors of the system. */
export interface LineTarget {
  readonly to: string;
  /** Writes all of it. */
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
  /** What can be done about an error, in words. */
  advice(code: string): string;
}

/** Lines that wait because what is behind the target is slow. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;
const AT_ONCE_BYTES_MAX = 256 * 1024;
const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 30_000;

/**
 * Appends lines, as many at once as wait, one write after the other. When a write fails its lines are lost and counted, and for a
 * while, which grows, so is what comes: then it is tried again. Trouble is told once, and so is its end.
 */
export class LineExport implements Export {
  readonly #target: LineTarget;
  readonly #isPretty: boolean;
  readonly #parts: ExportParts;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #pauseMs = 0;
  #cancelPause: Cancel | undefined;
  #isFailing = false;
  readonly #counts = { exported: 0, failed: 0 };
  readonly #idle = new Set<() => void>();

  constructor(target: LineTarget, isPretty: boolean, parts: ExportParts) {
    this.#target = target;
    this.#isPretty = isPretty;
    this.#parts = parts;
  }

  write(event: ExportedEvent): void {
    const line = this.#cancelPause === undefined ? `${event.text(this.#isPretty)}\n` : undefined;
    if (line === undefined || this.#waitingBytes + line.length > WAITING_BYTES_MAX) {
      this.#lose(1);
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    if (!this.#isWriting) outsideOfFlows(() => void this.#writeAll());
  }

  flush(): Promise<void> {
    if (!this.#isWriting) return Promise.resolve();
    return new Promise((resolve) => this.#idle.add(resolve));
  }

  abandon(): number {
    const left = this.#waiting.length;
    [this.#waiting, this.#waitingBytes] = [[], 0];
    this.#lose(left);
    return left;
  }

  async close(): Promise<void> {
    await this.flush();
    this.#cancelPause?.();
    await this.#target.close().catch(() => {});
  }

  status(): ExportStatus {
    return { to: this.#target.to, ...this.#counts, failing: this.#isFailing };
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    // What else is emitted in this turn goes with the first write.
    await new Promise<void>((resolve) => this.#parts.runtime.timers.soon(resolve));
    while (this.#waiting.length > 0) {
      const lines = this.#take();
      try {
        await this.#target.write(Buffer.from(lines.join('')));
        this.#wrote(lines.length);
      } catch (error) {
        this.#failed(error, lines.length);
      }
    }
    this.#isWriting = false;
    for (const tell of this.#idle) tell();
    this.#idle.clear();
  }

  #take(): string[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || bytes < AT_ONCE_BYTES_MAX))
      bytes += this.#waiting[count++]!.length;
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  #wrote(lines: number): void {
    this.#counts.exported += lines;
    this.#parts.counter.exported(lines);
    this.#pauseMs = 0;
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#parts.report({ code: 'export_recovered', text: `Events are exported to ${this.#target.to} again.` });
  }

  #failed(error: unknown, lines: number): void {
    this.#lose(lines);
    this.abandon();
    this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, PAUSE_MS_MIN), PAUSE_MS_MAX);
    this.#cancelPause = this.#parts.runtime.timers.after(this.#pauseMs, () => {
      this.#cancelPause = undefined;
    });
    if (this.#isFailing) return;
    this.#isFailing = true;
    const code = (error as NodeJS.ErrnoException).code ?? (error as Error).name;
    const text = `Events cannot be exported to ${this.#target.to} (${code}): ${this.#target.advice(code)}`;
    this.#parts.report({ code: 'export_failed', text });
  }

  #lose(lines: number): void {
    this.#counts.failed += lines;
    this.#parts.counter.failed('export', lines);
  }
}
