import type { WebSocket } from 'ws';

export interface IntakeOptions {
  readonly webSocket: Pick<WebSocket, 'pause' | 'resume'>;
  readonly read: (frame: Buffer) => void;
  /** Enough is under way: nothing more is to be read until `goOn`. */
  readonly mustWait: () => boolean;
}

/**
 * Takes in the frames of one connection in their order, and reads no further from the network while it must wait: the sender
 * feels that, and nothing is refused. Frames that were in memory by then are kept, at most those of one read.
 */
export class Intake {
  readonly #options: IntakeOptions;
  #kept: Buffer[] = [];
  #isPaused = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  take(frame: Buffer): void {
    if (this.#isPaused) {
      this.#kept.push(frame);
      return;
    }
    this.#options.read(frame);
    if (!this.#options.mustWait()) return;
    this.#isPaused = true;
    this.#options.webSocket.pause();
  }

  /** There may be room again. */
  goOn(): void {
    if (!this.#isPaused) return;
    const { read, mustWait, webSocket } = this.#options;
    let next = 0;
    while (next < this.#kept.length && !mustWait()) read(this.#kept[next++]!);
    this.#kept = this.#kept.slice(next);
    if (this.#kept.length > 0 || mustWait()) return;
    this.#isPaused = false;
    webSocket.resume();
  }

  /** Nothing more is read but what the network says about its own end. */
  end(): void {
    this.#kept = [];
    this.#isPaused = false;
    this.#options.webSocket.resume();
  }
}
